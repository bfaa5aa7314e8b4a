/** The panel: a function of the model's state. */
import { ReactWidget, UseSignal } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { safeinstallIcon } from './icon';
import type { PanelModel } from './model';
import { Attention } from './views/attention';
import { History } from './views/history';
import { Install } from './views/install';
import { Interpreter } from './views/interpreter';
import { Notebook } from './views/notebook';
import { Packages } from './views/packages';
import { Button, wordsFor } from './views/parts';

export const PANEL_ID = 'safeinstall-panel';

export class SafeInstallPanel extends ReactWidget {
  constructor(
    private _model: PanelModel,
    private _trans: TranslationBundle
  ) {
    super();
    this.id = PANEL_ID;
    this.addClass('si-Panel');
    this.title.icon = safeinstallIcon;
    this.title.caption = _trans.__('safeinstall: packages of this notebook’s kernel');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _trans.__('safeinstall'));
  }

  protected override render(): JSX.Element {
    return (
      <UseSignal signal={this._model.changed}>
        {() => <Panel model={this._model} trans={this._trans} />}
      </UseSignal>
    );
  }
}

interface IPanelProps {
  model: PanelModel;
  trans: TranslationBundle;
}

export function Panel(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  const session = model.session;
  const Refresh = refreshIcon.react;
  const subject = model.subject?.widget.title.label;
  return (
    <>
      <header className="si-Header">
        <h2>{subject || trans.__('safeinstall')}</h2>
        <button
          type="button"
          className="si-IconButton"
          title={trans.__('Look at the kernel again')}
          aria-label={trans.__('Look at the kernel again')}
          disabled={
            !session || session.state.kind === 'not-python' || session.state.kind === 'dead'
          }
          onClick={() => void session?.loadFacts(true)}
        >
          <Refresh tag="span" width="16px" height="16px" />
        </button>
      </header>
      <Body {...props} />
    </>
  );
}

function Body(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  const { state, session } = model;
  if (!session) {
    return <Empty text={emptyText(model, trans)} />;
  }
  switch (state.kind) {
    case 'starting':
      return <Empty text={trans.__('The kernel is starting …')} />;
    case 'busy':
      return (
        <Empty text={trans.__('The kernel is running a cell; it is asked when that has ended.')}>
          <Button label={trans.__('Ask now')} onClick={() => void session.loadFacts(true)} />
        </Empty>
      );
    case 'dead':
      return <Empty text={trans.__('The kernel has ended. Start it again to see its Python.')} />;
    case 'not-python':
      return (
        <Empty
          text={trans.__(
            'This kernel runs %1, not Python. There is nothing to install here.',
            state.language
          )}
        />
      );
    case 'failed':
      return (
        <Empty
          text={trans.__('The kernel could not be asked.')}
          detail={wordsFor(state.message, trans)}
        >
          <Button label={trans.__('Try again')} onClick={() => void session.loadFacts(true)} />
        </Empty>
      );
    case 'ready': {
      const view = { model, session, trans };
      const id = session.kernel.id;
      return (
        <div className="si-Body">
          <Interpreter {...view} facts={state.facts} />
          <Install {...view} facts={state.facts} />
          {state.facts.abilities.length > 0 && (
            <>
              <Attention key={`attention-${id}`} {...view} facts={state.facts} />
              <Notebook key={`notebook-${id}-${model.subject?.widget.id}`} {...view} />
              <Packages key={`packages-${id}`} {...view} />
              <History key={`history-${id}`} {...view} />
            </>
          )}
        </div>
      );
    }
    default:
      return <Empty text="" />;
  }
}

function emptyText(model: PanelModel, trans: TranslationBundle): string {
  return model.subject
    ? trans.__('This document has no kernel. Choose one to see its Python here.')
    : trans.__('Open a notebook or a console: its Python is shown here.');
}

function Empty(props: { text: string; detail?: string; children?: React.ReactNode }): JSX.Element {
  return (
    <div className="si-Empty" role="status" data-safeinstall="status">
      <p>{props.text}</p>
      {props.detail && <p className="si-Note">{props.detail}</p>}
      {props.children}
    </div>
  );
}
