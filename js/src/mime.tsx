/** The magic's output, with the same buttons as the panel. Text is text: no HTML from data. */
import { UseSignal } from '@jupyterlab/apputils';
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { PanelModel } from './model';
import { IMessage, OUTCOME } from './tokens';
import { Button, markOf, Sign } from './views/parts';

/** How long the kernel's word that it has shown an output may come after the output itself. */
const SETTLING = 1000;

export function outcomeRenderer(
  model: PanelModel,
  show: () => void,
  trans: TranslationBundle
): IRenderMime.IRendererFactory {
  return {
    safe: true,
    mimeTypes: [OUTCOME],
    defaultRank: 20,
    createRenderer: () => new OutcomeWidget(model, show, trans)
  };
}

/** What an output holds. Whoever wrote the file wrote that: words to be shown, and an id to ask for. */
interface IShown {
  id: string;
  restart: boolean;
  undo: boolean;
  message: IMessage;
}

/** Read an output, whatever stands where its words should be. */
function read(data: unknown, text: string): IShown {
  const outcome = fields(data);
  const message = fields(outcome.message);
  return {
    id: words(outcome.id),
    restart: outcome.restart === 'needed',
    undo: words(outcome.transaction) !== '',
    message: outcome.message
      ? {
          mark: words(message.mark) as IMessage['mark'],
          headline: words(message.headline),
          seconds: typeof message.seconds === 'number' ? message.seconds : null,
          lines: list(message.lines).map(words),
          suggestions: list(message.suggestions)
            .map(fields)
            .map(({ command, note }) => ({ command: words(command), note: words(note) })),
          details: ''
        }
      : readText(text)
  };
}

/** The words of an output that was saved by an older version: its text, wrapped for a terminal. */
function readText(text: string): IMessage {
  const [first = '', ...lines] = text.split('\n').map(words);
  const known = (['✓', '✗', '!', '·'] as const).find(mark => first.startsWith(mark));
  const headline = known ? first.slice(2) : first;
  return { mark: known ?? '', headline, lines, suggestions: [], details: '' };
}

function fields(value: unknown): { [name: string]: unknown } {
  return value && typeof value === 'object' ? (value as { [name: string]: unknown }) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Return text in which nothing turns around what stands beside it. */
function words(value: unknown): string {
  return typeof value === 'string'
    ? value.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    : '';
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
    const text = mime.data['text/plain'];
    const plain = Array.isArray(text) ? text.join('') : typeof text === 'string' ? text : '';
    this._shown = read(mime.data[OUTCOME], plain);
    this._trusted = mime.trusted;
    clearTimeout(this._settling);
    this._isSettled = false;
    this._settling = setTimeout(() => {
      this._isSettled = true;
      this.update();
    }, SETTLING);
    this.update();
    await this.renderPromise;
  }

  override dispose(): void {
    clearTimeout(this._settling);
    super.dispose();
  }

  protected override render(): JSX.Element | null {
    const shown = this._shown;
    return (
      shown && <UseSignal signal={this._model.changed}>{() => this._outcome(shown)}</UseSignal>
    );
  }

  private _outcome(shown: IShown): JSX.Element {
    const { mark, headline, seconds, lines, suggestions } = shown.message;
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
          {this._isSaved(shown.id) && (
            <div className="si-Note" data-safeinstall="saved">
              {this._trans.__('From a saved output: safeinstall has not shown it in this kernel.')}
            </div>
          )}
          <div className="si-Buttons">{this._buttons(shown)}</div>
        </div>
      </div>
    );
  }

  /** Tell whether the output is known to be no word of a kernel that runs. */
  private _isSaved(id: string): boolean {
    const model = this._model;
    const undecided = ['starting', 'busy', 'failed'].includes(model.state.kind) || !this._isSettled;
    return !this._trusted || !id || (!model.sessionThatShowed(id) && !undecided);
  }

  /** Return the buttons of what a kernel that runs has shown; they ask it once more. */
  private _buttons({ id, restart, undo }: IShown): JSX.Element | null {
    const session = this._trusted && id ? this._model.sessionThatShowed(id) : null;
    if (!session) {
      return null;
    }
    const trans = this._trans;
    return (
      <>
        {restart && (
          <Button
            label={trans.__('Restart kernel')}
            primary
            onClick={() => void this._model.follow(id, 'restart')}
          />
        )}
        {restart && (
          <Button
            label={trans.__('Restart and run to here')}
            onClick={() => void this._model.follow(id, 'run')}
          />
        )}
        {undo && session.facts?.abilities.includes('undo') && (
          <Button
            label={trans.__('Undo')}
            quiet
            onClick={() => {
              this._show();
              void this._model.follow(id, 'undo');
            }}
          />
        )}
      </>
    );
  }

  private _shown: IShown | null = null;
  private _trusted = false;
  private _isSettled = false;
  private _settling: ReturnType<typeof setTimeout> | undefined;
}
