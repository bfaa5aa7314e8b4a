/** Which notebook or console is in front. Clicking elsewhere (in the panel) keeps the answer. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import { ISessionContext } from '@jupyterlab/apputils';
import { IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ISignal, Signal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

export interface ISubject {
  widget: Widget;
  sessionContext: ISessionContext;
  /** The notebook, when it is one: its cells can be read and written. */
  notebook: NotebookPanel | null;
}

export class SubjectTracker {
  constructor(
    shell: JupyterFrontEnd.IShell,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null
  ) {
    this._notebooks = notebooks;
    this._consoles = consoles;
    shell.currentChanged?.connect(() => this._onCurrentChanged(shell.currentWidget));
    notebooks?.currentChanged.connect((_, widget) => this._onCurrentChanged(widget));
    consoles?.currentChanged.connect((_, widget) => this._onCurrentChanged(widget));
    this._onCurrentChanged(notebooks?.currentWidget ?? consoles?.currentWidget ?? null);
  }

  get current(): ISubject | null {
    return this._current;
  }

  get changed(): ISignal<this, ISubject | null> {
    return this._changed;
  }

  private _onCurrentChanged(widget: Widget | null): void {
    const subject = this._subjectOf(widget);
    if (!subject || subject.widget === this._current?.widget) {
      return;
    }
    this._setCurrent(subject);
  }

  private _onDisposed(widget: Widget): void {
    if (widget === this._current?.widget) {
      const next = this._notebooks?.currentWidget ?? this._consoles?.currentWidget ?? null;
      this._setCurrent(next && !next.isDisposed && next !== widget ? this._subjectOf(next) : null);
    }
  }

  private _setCurrent(subject: ISubject | null): void {
    this._current = subject;
    subject?.widget.disposed.connect(this._onDisposed, this);
    this._changed.emit(subject);
  }

  private _subjectOf(widget: Widget | null): ISubject | null {
    if (!widget) {
      return null;
    }
    if (this._notebooks?.has(widget)) {
      const notebook = widget as NotebookPanel;
      return { widget, sessionContext: notebook.sessionContext, notebook };
    }
    if (this._consoles?.has(widget)) {
      return { widget, sessionContext: (widget as any).sessionContext, notebook: null };
    }
    return null;
  }

  private _notebooks: INotebookTracker | null;
  private _consoles: IConsoleTracker | null;
  private _current: ISubject | null = null;
  private _changed = new Signal<this, ISubject | null>(this);
}
