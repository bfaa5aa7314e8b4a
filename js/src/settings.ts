/** Settings as one value. A fault in them is logged once, and the defaults hold. */
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { DEFAULTS, IOptions } from './tokens';

export async function followSettings(
  registry: ISettingRegistry,
  plugin: string,
  use: (options: IOptions) => void
): Promise<void> {
  try {
    const settings = await registry.load(plugin);
    const read = () => use({ ...DEFAULTS, ...(settings.composite as Partial<IOptions>) });
    settings.changed.connect(read);
    read();
  } catch (reason) {
    console.warn('safeinstall: settings could not be read', reason);
  }
}
