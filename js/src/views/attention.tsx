/** What needs attention, each with its way on: the agent has chosen the buttons. */
import * as React from 'react';

import type { IAction, IFacts, IFinding, IWrong } from '../tokens';
import type { IViewProps } from './view';
import { Button, Section, Sign, Ways } from './parts';

export function Attention(props: IViewProps & { facts: IFacts }): JSX.Element | null {
  const { desk, facts, model, trans } = props;
  const found = [...facts.findings, ...(desk.findings ?? [])];
  const wrong = (desk.cells?.wrong ?? facts.wrong).filter(item => model.holds(item.cell));
  const count = found.length + wrong.length;
  if (!count) {
    return null;
  }
  return (
    <Section title={trans.__('Needs attention (%1)', count)} hook="findings" open>
      {wrong.map((item, index) => (
        <Wrong key={`cell-${index}`} {...props} item={item} />
      ))}
      {found.map((item, index) => (
        <Found key={`${item.code}-${index}`} {...props} item={item} />
      ))}
    </Section>
  );
}

function Found(props: IViewProps & { item: IFinding }): JSX.Element {
  const { item, model, trans } = props;
  return (
    <div className="si-Finding" data-code={item.code}>
      <Sign mark={item.severity === 'info' ? 'info' : 'care'} />
      <div className="si-Finding-text">
        <div>{item.message}</div>
        {item.context && <div className="si-Note">{item.context}</div>}
        <div className="si-Buttons">
          <Actions {...props} actions={item.actions ?? []} />
        </div>
        <Ways ways={item.suggestions} trans={trans} onUse={line => model.setLine(line)} />
      </div>
    </div>
  );
}

function Wrong(props: IViewProps & { item: IWrong }): JSX.Element {
  const { item, model, trans } = props;
  return (
    <div className="si-Finding" data-code={item.outcome}>
      <Sign mark="care" />
      <div className="si-Finding-text">
        <div>{item.message}</div>
        <div className="si-Buttons">
          {item.rewritable && (
            <Button
              label={trans.__('Use %safeinstall')}
              primary
              onClick={() => void model.rewrite(item.cell)}
            />
          )}
          <Actions {...props} actions={item.actions} quiet={item.rewritable} />
          <Button
            label={trans.__('Show the cell')}
            quiet
            onClick={() => model.reveal(item.cell)}
          />
        </div>
      </div>
    </div>
  );
}

/** The first is the way on that is meant; `quiet` where another button is. */
function Actions(props: IViewProps & { actions: IAction[]; quiet?: boolean }): JSX.Element {
  const { actions, desk, model } = props;
  return (
    <>
      {actions.map((action, index) => (
        <Button
          key={index}
          label={action.label}
          title={action.title}
          primary={index === 0 && !props.quiet}
          quiet={index > 0 || props.quiet}
          disabled={desk.working}
          onClick={() => void model.act(action)}
        />
      ))}
    </>
  );
}
