/** What came of a job: the sentences are Python's, the buttons are ours. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { IFailure, IJob, IOutcome } from '../tokens';
import type { IViewProps } from './view';
import { NewEnvironment } from './newenvironment';
import { Button, Changes, Copyable, markOf, Sign, Suggestions } from './parts';

export function Result(props: IViewProps & { job: IJob }): JSX.Element {
  const { job, model, trans } = props;
  const { error, outcome, message, new_environment: stuck } = job.result ?? {};
  if (error || !message) {
    return <Failure {...props} failure={error ?? { code: 'no-answer', message: '', hint: '' }} />;
  }
  const status = outcome?.status;
  const asking = status === 'planned' || status === 'needs-confirmation';
  return (
    <div className="si-Result">
      <div className="si-Row si-mod-top">
        <Sign mark={markOf(message.mark)} />
        <div className="si-Result-text">
          <div>{message.headline}</div>
          {!asking &&
            message.lines.map((line, index) => (
              <div key={index} className="si-Note">
                {line}
              </div>
            ))}
        </div>
      </div>
      {asking && outcome && <Question {...props} outcome={outcome} lines={message.lines} />}
      {stuck && <NewEnvironment {...props} />}
      {!stuck && status !== 'planned' && (
        <Suggestions
          suggestions={message.suggestions}
          trans={trans}
          onUse={line => model.setLine(line)}
        />
      )}
      {message.details && status !== 'done' && (
        <details className="si-Details">
          <summary>{trans.__('What the installer said')}</summary>
          <pre>{message.details}</pre>
        </details>
      )}
      {outcome?.status === 'done' && <Afterwards {...props} outcome={outcome} />}
      {!outcome && job.result?.transaction && (
        <div className="si-Buttons">
          <Undo {...props} transaction={job.result.transaction} />
        </div>
      )}
    </div>
  );
}

/** The plan, before it is applied. */
function Question(
  props: IViewProps & { job: IJob; outcome: IOutcome; lines: string[] }
): JSX.Element {
  const { outcome, model, session, job, trans } = props;
  const planned = outcome.status === 'planned';
  const anyway = job.kind === 'uninstall' ? trans.__('Remove anyway') : trans.__('Install anyway');
  return (
    <div className="si-Plan" data-safeinstall="plan">
      {!planned && props.lines.map((line, index) => <div key={index}>{line}</div>)}
      {outcome.plan.changes.length > 0 && <Changes changes={outcome.plan.changes} trans={trans} />}
      <div className="si-Buttons">
        {session.shownRequest && (
          <Button
            label={planned ? trans.__('Confirm') : anyway}
            hook="confirm"
            primary={planned}
            onClick={() => void model.confirm()}
          />
        )}
        <Button label={trans.__('Leave it')} quiet onClick={() => session.clear()} />
      </div>
    </div>
  );
}

function Afterwards(props: IViewProps & { job: IJob; outcome: IOutcome }): JSX.Element {
  const { outcome, model, job, trans } = props;
  const requested = outcome.plan.changes.filter(change => change.requested && change.after);
  const notebook = model.subject?.notebook;
  return (
    <div className="si-Buttons">
      {outcome.restart === 'needed' && (
        <Button
          label={trans.__('Restart kernel')}
          hook="restart"
          primary
          onClick={() => void model.restart(false)}
        />
      )}
      {outcome.restart === 'needed' && notebook && (
        <Button
          label={trans.__('Restart and run to here')}
          onClick={() => void model.restart(true)}
        />
      )}
      {job.kind === 'install' && notebook && requested.length > 0 && (
        <Button
          label={trans.__('Record in notebook')}
          quiet
          onClick={() =>
            void model.record(requested.map(change => `${change.name}==${change.after}`))
          }
        />
      )}
      {outcome.transaction && job.kind !== 'new-environment' && (
        <Undo {...props} transaction={outcome.transaction} />
      )}
    </div>
  );
}

function Undo(props: IViewProps & { transaction: string }): JSX.Element | null {
  const { session, model, trans } = props;
  return session.facts?.abilities.includes('undo') ? (
    <Button
      label={trans.__('Undo')}
      hook="undo"
      quiet
      onClick={() => void model.undo(props.transaction)}
    />
  ) : null;
}

function Failure(props: IViewProps & { failure: IFailure }): JSX.Element {
  const { failure, trans } = props;
  const mark = failure.code === 'interrupted' ? 'info' : 'no';
  return (
    <div className="si-Result">
      <div className="si-Row si-mod-top">
        <Sign mark={mark} />
        <div className="si-Result-text">{sentence(failure, trans)}</div>
      </div>
      {failure.hint && <Copyable text={failure.hint} trans={trans} />}
    </div>
  );
}

function sentence(failure: IFailure, trans: TranslationBundle): string {
  if (failure.code === 'kernel-gone') {
    return trans.__(
      'The kernel ended while this was under way. The environment is as it was before, or as asked: nothing is left half done.'
    );
  }
  return failure.message || trans.__('The kernel gave no answer.');
}
