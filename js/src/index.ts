/** Plugins, and nothing else. */
import {
  ILabShell,
  ILayoutRestorer,
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addCommands, CommandIDs } from './commands';
import { outcomeRenderer } from './mime';
import { PanelModel } from './model';
import { offerMissing } from './notify';
import { SafeInstallPanel } from './panel';
import { followSettings } from './settings';
import { StatusItem } from './statusbar';
import { ISafeInstall } from './tokens';
import { SubjectTracker } from './tracker';

export { ISafeInstall } from './tokens';

const DOMAIN = 'safeinstall';

const plugin: JupyterFrontEndPlugin<ISafeInstall> = {
  id: 'safeinstall:plugin',
  description: 'Shows which Python the notebook in front runs, and installs into it.',
  autoStart: true,
  provides: ISafeInstall,
  optional: [
    INotebookTracker,
    IConsoleTracker,
    ILabShell,
    ILayoutRestorer,
    ICommandPalette,
    IStatusBar,
    ISettingRegistry,
    IRenderMimeRegistry,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    labShell: ILabShell | null,
    restorer: ILayoutRestorer | null,
    palette: ICommandPalette | null,
    statusBar: IStatusBar | null,
    settings: ISettingRegistry | null,
    rendermime: IRenderMimeRegistry | null,
    translator: ITranslator | null
  ): ISafeInstall => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const tracker = new SubjectTracker(app.shell, notebooks, consoles);
    const model = new PanelModel(tracker, app.serviceManager.kernelspecs);
    const panel = new SafeInstallPanel(model, trans);

    const place = (side: string) => {
      app.shell.add(panel, side, { rank: 900, type: 'safeinstall' });
    };
    const show = () => {
      if (!panel.isAttached) {
        place(model.options.side);
      }
      // Notebook 7 opens its side areas by a method of its own, which closes one that is open.
      const shell = app.shell as any;
      const expand = model.options.side === 'right' ? shell.expandRight : shell.expandLeft;
      if (labShell || !expand) {
        app.shell.activateById(panel.id);
      } else if (!panel.isVisible) {
        expand.call(shell, panel.id);
      }
    };

    place(model.options.side);
    restorer?.add(panel, DOMAIN);
    addCommands(app, model, show, trans);
    offerMissing(model, show, trans);
    for (const command of Object.values(CommandIDs)) {
      palette?.addItem({ command, category: trans.__('Kernel Operations') });
    }
    statusBar?.registerStatusItem('safeinstall:status', {
      item: new StatusItem(model, trans, show),
      align: 'left',
      rank: 4
    });
    rendermime?.addFactory(outcomeRenderer(model, show, trans), 20);
    if (settings) {
      void followSettings(settings, plugin.id, options => {
        const moved = options.side !== model.options.side;
        model.setOptions(options);
        if (moved) {
          place(options.side);
        }
      });
    }
    return model;
  }
};

export default plugin;
