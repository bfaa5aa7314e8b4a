/** The live document: cells are read and written through the shared model, never through the file. */
import { NotebookActions, NotebookPanel } from '@jupyterlab/notebook';

export interface ISource {
  id: string;
  source: string;
}

/** Return the code cells of the notebook as they are now. */
export function sources(notebook: NotebookPanel): ISource[] {
  return notebook.content.widgets
    .map(cell => cell.model)
    .filter(model => model.type === 'code')
    .map(model => ({ id: model.id, source: model.sharedModel.getSource() }));
}

/** Return the cells that may hold an install command: in most notebooks there is none. */
export function installs(notebook: NotebookPanel): ISource[] {
  return sources(notebook).filter(
    cell => /\b(pip3?|uv|conda|mamba)\b/.test(cell.source) && /install|add|sync/.test(cell.source)
  );
}

/** Put `source` into a cell that is as it was, as an edit that can be undone. */
export function replace(notebook: NotebookPanel, was: ISource, source: string): void {
  const cell = notebook.content.widgets.find(widget => widget.model.id === was.id);
  if (cell?.model.sharedModel.getSource() === was.source) {
    cell.model.sharedModel.setSource(source);
  }
}

/** Insert a code cell at the top. */
export function insertFirst(notebook: NotebookPanel, source: string): void {
  const model = notebook.content.model;
  model?.sharedModel.insertCell(0, {
    cell_type: 'code',
    source,
    metadata: {},
    outputs: [],
    execution_count: null
  } as any);
}

/** Show a cell. */
export function reveal(notebook: NotebookPanel, id: string): void {
  const index = notebook.content.widgets.findIndex(widget => widget.model.id === id);
  if (index >= 0) {
    notebook.content.activeCellIndex = index;
    void notebook.content.scrollToItem(index);
  }
}

/** Run everything down to the active cell, and the active cell if nothing above it failed. */
export async function runToHere(notebook: NotebookPanel): Promise<void> {
  const { content, sessionContext } = notebook;
  const first = content.activeCellIndex === 0;
  if (first || (await NotebookActions.runAllAbove(content, sessionContext))) {
    await NotebookActions.run(content, sessionContext);
  }
}
