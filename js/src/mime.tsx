/** The magic's output, with the same buttons as the panel. Text is text: no HTML from data. */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { PanelModel } from './model';
import type { IMessage, IOutcome } from './tokens';
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

/** The words of an output that was saved by an older version: its text, wrapped for a terminal. */
function read(text: string): IMessage {
  const [first = '', ...lines] = text.split('\n');
  const known = (['✓', '✗', '!', '·'] as const).find(mark => first.startsWith(mark));
  const headline = known ? first.slice(2) : first;
  return { mark: known ?? '', headline, lines, suggestions: [], details: '' };
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
    const { mark, headline, seconds, lines, suggestions } = outcome.message ?? read(this._text);
    const trans = this._trans;
    return (
      <div className="si-Row si-mod-top">
        <Sign mark={markOf(mark)} />
        <div className="si-Outcome-text">
          <div className="si-Outcome-line">
            {headline}
            {!!seconds && <span className="si-Outcome-time">{seconds.toFixed(1)} s</span>}
          </div>
          {lines.map((line, index) => (
            <div key={index} className="si-Outcome-line">
              {line}
            </div>
          ))}
          {suggestions.map(({ command, note }, index) => (
            <div key={index} className="si-Outcome-line">
              <code>{command}</code> <span className="si-Note">{note}</span>
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
