/** The magic's output, with the same buttons as the panel. Text is text: no HTML from data. */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { PanelModel } from './model';
import type { IOutcome } from './tokens';
import { Button, markOf, Sign } from './views/parts';

export const MIME = 'application/vnd.safeinstall.outcome+json';

export function outcomeRenderer(
  model: PanelModel,
  show: () => void,
  trans: TranslationBundle
): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [MIME],
    defaultRank: 20,
    createRenderer: () => new OutcomeWidget(model, show, trans)
  };
}

class OutcomeWidget extends ReactWidget implements IRenderMime.IRenderer {
  constructor(
    private _model: PanelModel,
    private _show: () => void,
    private _trans: TranslationBundle
  ) {
    super();
    this.addClass('si-Outcome');
  }

  async renderModel(mime: IRenderMime.IMimeModel): Promise<void> {
    this._outcome = mime.data[MIME] as unknown as IOutcome;
    const text = mime.data['text/plain'];
    this._text = Array.isArray(text) ? text.join('') : typeof text === 'string' ? text : '';
    this.update();
    await this.renderPromise;
  }

  protected override render(): JSX.Element | null {
    const outcome = this._outcome;
    if (!outcome) {
      return null;
    }
    const [first = '', ...lines] = this._text.split('\n');
    const mark = markOf(first.charAt(0));
    const headline = mark === 'info' && first.charAt(0) !== '·' ? first : first.slice(2);
    const trans = this._trans;
    return (
      <div className="si-Row si-mod-top">
        <Sign mark={mark} />
        <div className="si-Outcome-text">
          <div className="si-Outcome-line">{headline}</div>
          {lines.map((line, index) => (
            <div key={index} className="si-Outcome-line">
              {line}
            </div>
          ))}
          <div className="si-Buttons">
            {outcome.restart === 'needed' && (
              <Button
                label={trans.__('Restart kernel')}
                primary
                onClick={() => void this._model.restart(false)}
              />
            )}
            {outcome.restart === 'needed' && (
              <Button
                label={trans.__('Restart and run to here')}
                onClick={() => void this._model.restart(true)}
              />
            )}
            {outcome.transaction && this._model.session?.facts?.abilities.includes('undo') && (
              <Button
                label={trans.__('Undo')}
                quiet
                onClick={() => {
                  this._show();
                  void this._model.undo(outcome.transaction);
                }}
              />
            )}
          </div>
        </div>
      </div>
    );
  }

  private _outcome: IOutcome | null = null;
  private _text = '';
}
