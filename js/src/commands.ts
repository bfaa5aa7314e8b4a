/** The commands, by which menu, palette, toolbar and other extensions reach the panel. */
import { JupyterFrontEnd } from '@jupyterlab/application';
import type { TranslationBundle } from '@jupyterlab/translation';

import { safeinstallIcon } from './icon';
import type { PanelModel } from './model';

export const CommandIDs = {
  open: 'safeinstall:open-panel',
  install: 'safeinstall:install',
  refresh: 'safeinstall:refresh',
  rewrite: 'safeinstall:use-safeinstall',
  restartAndRun: 'safeinstall:restart-and-run-to-here'
} as const;

export function addCommands(
  app: JupyterFrontEnd,
  model: PanelModel,
  show: () => void,
  trans: TranslationBundle
): void {
  const { commands } = app;
  const ready = () => model.state.kind === 'ready';
  commands.addCommand(CommandIDs.open, {
    label: trans.__('Packages of This Kernel (safeinstall)'),
    caption: trans.__('Show which Python this notebook runs, and install into it'),
    icon: args => (args.toolbar ? safeinstallIcon : undefined),
    execute: show
  });
  commands.addCommand(CommandIDs.install, {
    label: trans.__('Install Packages Into This Kernel …'),
    isEnabled: ready,
    execute: async args => {
      show();
      if (typeof args.line === 'string') {
        model.offerLine(args.line);
        if (args.start === true) {
          await model.install(args.line);
        }
      }
      const box = document.getElementById('safeinstall-requirements');
      requestAnimationFrame(() => box?.focus());
    }
  });
  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Look at the Kernel’s Environment Again'),
    isEnabled: () => model.session !== null,
    execute: () => model.session?.loadFacts(true)
  });
  commands.addCommand(CommandIDs.rewrite, {
    label: trans.__('Use %safeinstall in This Cell'),
    caption: trans.__('Write the install lines that would go wrong as %safeinstall'),
    isEnabled: () => ready() && !!model.subject?.notebook?.content.activeCell,
    execute: async () => {
      const cell = model.subject?.notebook?.content.activeCell;
      if (cell) {
        await model.rewrite(cell.model.id);
      }
    }
  });
  commands.addCommand(CommandIDs.restartAndRun, {
    label: trans.__('Restart Kernel and Run to the Active Cell'),
    isEnabled: () => !!model.subject?.notebook,
    execute: () => model.restart(true)
  });
}
