/** Which Python runs this notebook, and would an install go right? */
import * as React from 'react';

import type { IFacts } from '../tokens';
import type { IViewProps } from './view';
import { NewEnvironment } from './newenvironment';
import { Copyable, Sign } from './parts';

export function Interpreter(props: IViewProps & { facts: IFacts }): JSX.Element {
  const { facts, trans } = props;
  const verdict = facts.verdict;
  const offered = props.session.job?.result?.new_environment; // it stands with the refusal
  const mayMake = facts.abilities.includes('new_environment') && !offered;
  return (
    <section className="si-Interpreter" aria-label={trans.__('Interpreter')}>
      <div className="si-Name" data-safeinstall="environment">
        <strong>{facts.name}</strong>{' '}
        <span className="si-Note">
          {facts.kind_words}, Python {facts.version}
        </span>
      </div>
      <div className={`si-Verdict si-mod-${verdict.state}`} data-safeinstall="verdict">
        <Sign mark={verdict.state} />
        <div>
          <div className="si-Verdict-sentence">{verdict.sentence}</div>
          {verdict.reason && <div className="si-Note">{verdict.reason}</div>}
          {verdict.new_environment && mayMake && <NewEnvironment {...props} />}
        </div>
      </div>
      <dl className="si-Facts">
        <dt>{trans.__('Interpreter')}</dt>
        <dd>
          <Copyable text={facts.executable} trans={trans} hook="executable" />
        </dd>
        <dt>{trans.__('Packages')}</dt>
        <dd>
          <Copyable text={facts.shown_packages} trans={trans} hook="destination" />
        </dd>
      </dl>
    </section>
  );
}
