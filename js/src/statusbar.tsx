/** One word in the status bar: the environment, and whether installs go right. */
import { ReactWidget, UseSignal } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { PanelModel } from './model';

const SIGNS = { yes: '✓', care: '!', no: '✗' };

export class StatusItem extends ReactWidget {
  constructor(
    private _model: PanelModel,
    private _trans: TranslationBundle,
    private _open: () => void
  ) {
    super();
    this.addClass('si-StatusItem');
  }

  protected override render(): JSX.Element {
    return <UseSignal signal={this._model.changed}>{() => this._item()}</UseSignal>;
  }

  private _item(): JSX.Element | null {
    const facts = this._model.session?.facts;
    if (!facts || !this._model.options.statusBar) {
      return null;
    }
    const { state, sentence } = facts.verdict;
    const title = `${sentence} — ${facts.label}`;
    const working = this._model.session?.working ?? false;
    return (
      <button
        type="button"
        className={`si-StatusButton si-mod-${state}`}
        title={title}
        aria-label={`${facts.name}: ${title}`}
        onClick={this._open}
      >
        <span aria-hidden="true">{working ? '…' : SIGNS[state]}</span> {facts.name}
        {working && <span className="si-StatusWords"> {this._trans.__('installing')}</span>}
      </button>
    );
  }
}
