/** What needs attention: installs in this notebook's cells that would not go right. */
import * as React from 'react';

import type { IFacts, IWrong } from '../tokens';
import type { IViewProps } from './view';
import { Button, Section, Sign } from './parts';

export function Attention(props: IViewProps & { facts: IFacts }): JSX.Element | null {
  const { desk, facts, trans } = props;
  const wrong = desk.cells?.wrong ?? facts.wrong;
  if (!wrong.length || !props.model.subject?.notebook) {
    return null;
  }
  return (
    <Section title={trans.__('Needs attention (%1)', wrong.length)} hook="findings" open>
      {wrong.map((item, index) => (
        <Wrong key={index} {...props} item={item} />
      ))}
    </Section>
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
              onClick={() => void model.rewrite(item.cell)}
            />
          )}
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
