import { Signal } from '@lumino/signaling';

import { SubjectTracker } from '../src/tracker';

/** A document, as far as it can be closed. */
class Document {
  isDisposed = false;
  disposed = new Signal<this, void>(this);
  sessionContext = {};
  close(): void {
    this.isDisposed = true;
    this.disposed.emit();
  }
}

describe('the tracker', () => {
  it('lets go of a notebook that came to the front because another was closed', () => {
    const [one, two] = [new Document(), new Document()];
    const notebooks: any = { currentWidget: one, has: () => true };
    notebooks.currentChanged = new Signal<any, any>(notebooks);
    const tracker = new SubjectTracker({} as any, notebooks, null);
    notebooks.currentWidget = two;
    one.close();
    expect(tracker.current?.widget).toBe(two);
    notebooks.currentWidget = null;
    two.close();
    expect(tracker.current).toBeNull();
  });
});
