/** Documents in front, and the model that follows them. */
import { Signal } from '@lumino/signaling';
import { vi } from 'vitest';

import { PanelModel } from '../src/model';
import type { IFacts } from '../src/tokens';
import { FakeConnection, FakeKernel, facts, settled } from './fakes';

/** The document in front, as Lab tells it: its cells are what a test says. */
export function subjectOn(kernel: FakeKernel, ...sources: [id: string, source: string][]): any {
  const widgets = sources.map(([id, source]) => {
    const sharedModel = { getSource: () => source, setSource: (now: string) => (source = now) };
    return { model: { id, type: 'code', sharedModel } };
  });
  const sessionContext: any = { isDisposed: false, session: { kernel } };
  sessionContext.kernelChanged = new Signal<any, any>(sessionContext);
  sessionContext.changeKernel = vi.fn(async () => {
    sessionContext.session = { kernel: new FakeKernel('made') };
    sessionContext.kernelChanged.emit({});
    return sessionContext.session.kernel;
  });
  return { widget: {}, sessionContext, notebook: { isDisposed: false, content: { widgets } } };
}

export function opened(...subjects: any[]) {
  const tracker: any = { current: subjects[0] };
  tracker.changed = new Signal<any, any>(tracker);
  const specs: any = { refreshSpecs: async () => undefined, specs: { kernelspecs: { made: {} } } };
  const connections = new Map<unknown, FakeConnection>();
  const model = new PanelModel(tracker, specs, kernel => {
    connections.set(kernel, new FakeConnection());
    return connections.get(kernel) as FakeConnection;
  });
  const see = async (subject: any, change: Partial<IFacts> = {}) => {
    tracker.current = subject;
    tracker.changed.emit(subject);
    await settled();
    subject.sessionContext.session.kernel.is('idle');
    const connection = connections.get(subject.sessionContext.session.kernel) as FakeConnection;
    await connection?.last?.answer(facts(change));
    return connection;
  };
  return { model, see, connections };
}
