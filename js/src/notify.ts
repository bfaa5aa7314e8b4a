/** After a cell failed for a missing module: one unobtrusive offer. Nothing is installed by itself. */
import { Notification } from '@jupyterlab/apputils';
import { NotebookActions } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { PanelModel } from './model';
import type { ICells } from './tokens';

const MISSING = /No module named '([A-Za-z_]\w*)/;

export function offerMissing(model: PanelModel, show: () => void, trans: TranslationBundle): void {
  const offered = new Set<string>();
  NotebookActions.executed.connect((_, { notebook, cell, success, error }) => {
    const match = MISSING.exec(error?.errorValue ?? '');
    const session = model.session;
    const mine = model.subject?.notebook?.content === notebook;
    const failed = !success && error?.errorName === 'ModuleNotFoundError';
    if (!failed || !match || !session || !mine || !model.options.notifications) {
      return;
    }
    const module = match[1];
    const key = `${session.kernel.id} ${module}`;
    if (!offered.has(key)) {
      offered.add(key);
      void offer(module, cell.model.id);
    }
  });

  async function offer(module: string, cell: string): Promise<void> {
    const session = model.session;
    const cells = [{ id: cell, source: `import ${module}` }];
    // Nobody has asked for this: it waits its turn, so that a busy kernel is not shown as idle.
    const answer = await session?.request<ICells>('cells', { cells }, false);
    const missing = answer?.missing.find(item => item.module === module);
    if (!session || !missing || model.session !== session) {
      return; // it is there: shadowed, broken or of another folder, which the magics explain
    }
    const name = missing.distribution;
    const message =
      name === module
        ? trans.__('%1 is not installed in this kernel’s environment.', module)
        : trans.__('%1 is not installed; the package is called %2.', module, name);
    Notification.emit(message, 'info', {
      autoClose: 20000,
      actions: [
        {
          label: trans.__('Install'),
          caption: trans.__('Install %1 into %2', name, session.facts?.label ?? ''),
          callback: () => {
            show();
            model.setLine(name);
            void model.install(name, session);
          }
        }
      ]
    });
  }
}
