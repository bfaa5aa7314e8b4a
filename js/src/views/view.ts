import type { TranslationBundle } from '@jupyterlab/translation';

import type { KernelSession } from '../kernelSession';
import type { PanelModel } from '../model';

/** What every view of a ready kernel is made from. */
export interface IViewProps {
  model: PanelModel;
  session: KernelSession;
  trans: TranslationBundle;
}
