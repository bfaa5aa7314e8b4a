/** What needs attention, each with its way on: the agent has chosen the buttons. */
import * as React from 'react';

import type { IAction, IFacts, IFinding, IWrongInstall } from '../tokens';
import type { IViewProps } from './view';
import { Button, Copyable, Section, Sign, Suggestions } from './parts';

export function Attention(props: IViewProps & { facts: IFacts }): JSX.Element | null {
  const { session, facts, model, trans } = props;
  const findings = [...facts.findings, ...(session.findings ?? [])];
  const wrong = (session.cells?.wrong ?? facts.wrong).filter(item => model.holds(item.cell));
  const count = findings.length + wrong.length;
  if (!count) {
    return null;
  }
  return (
    <Section title={trans.__('Needs attention (%1)', count)} hook="findings" open>
      {wrong.map((item, index) => (
        <WrongInstall key={`cell-${index}`} {...props} item={item} />
      ))}
      {findings.map((item, index) => (
        <Finding key={`${item.code}-${index}`} {...props} item={item} />
      ))}
    </Section>
  );
}

function Finding(props: IViewProps & { item: IFinding }): JSX.Element {
  const { item, model, trans } = props;
  return (
    <div className="si-Finding" data-code={item.code}>
      <Sign mark={item.severity === 'info' ? 'info' : 'care'} />
      <div className="si-Finding-text">
        <div>{item.message}</div>
        {item.context && <div className="si-Note">{item.context}</div>}
        <Lines {...props} lines={(item.actions ?? []).map(action => action.line)} />
        <div className="si-Buttons">
          <Actions {...props} actions={item.actions ?? []} />
        </div>
        <Suggestions
          suggestions={item.suggestions}
          trans={trans}
          onUse={line => model.setLine(line)}
        />
      </div>
    </div>
  );
}

function WrongInstall(props: IViewProps & { item: IWrongInstall }): JSX.Element {
  const { item, model, trans } = props;
  return (
    <div className="si-Finding" data-code={item.outcome}>
      <Sign mark="care" />
      <div className="si-Finding-text">
        <div>{item.message}</div>
        <Lines {...props} lines={[item.instead, ...item.actions.map(action => action.line)]} />
        <div className="si-Buttons">
          {item.rewritable && (
            <Button
              label={trans.__('Use %safeinstall')}
              primary
              onClick={() => void model.rewrite(item.cell)}
            />
          )}
          <Actions {...props} actions={item.actions} quiet={item.rewritable} />
          <Button label={trans.__('Show the cell')} quiet onClick={() => model.reveal(item.cell)} />
        </div>
      </div>
    </div>
  );
}

/** The whole lines that the buttons below carry out, or write into the cell. */
function Lines(props: IViewProps & { lines: string[] }): JSX.Element {
  return (
    <>
      {[...new Set(props.lines.filter(Boolean))].map(line => (
        <div key={line} className="si-Line" data-safeinstall="line">
          <Copyable text={line} trans={props.trans} />
        </div>
      ))}
    </>
  );
}

/** The first is the way on that is meant; `quiet` where another button is. */
function Actions(props: IViewProps & { actions: IAction[]; quiet?: boolean }): JSX.Element {
  const { actions, session, model } = props;
  return (
    <>
      {actions.map((action, index) => (
        <Button
          key={index}
          label={action.label}
          title={action.title}
          primary={index === 0 && !props.quiet}
          quiet={index > 0 || props.quiet}
          disabled={session.working}
          onClick={() => void model.act(action)}
        />
      ))}
    </>
  );
}
