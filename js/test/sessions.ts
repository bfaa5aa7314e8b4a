/** A desk at a kernel of which a test is the master, and a place to look at what the panel shows. */
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { createRoot } from 'react-dom/client';

import { Desk } from '../src/kernelSession';
import { FakeDoor, FakeKernel, facts, settled } from './fakes';

export const act = (React as any).act as (work: () => unknown) => Promise<void>;
export const trans = nullTranslator.load('test');
export const HOSTILE = '<img src=x onerror="alert(1)">\u202e';

/** Sit down at a kernel that is still starting. */
export function seated(language = 'python') {
  const kernel = new FakeKernel('k', language);
  const door = new FakeDoor();
  const desk = new Desk(kernel, () => door, () => ({ shell_installs: 'warn' }));
  return { kernel, door, desk };
}

/** Sit down at a kernel whose facts are known. */
export async function ready() {
  const seat = seated();
  await settled();
  seat.kernel.is('idle');
  await seat.door.last.answer(facts());
  return seat;
}

/** Return a place in the document, and what renders into it. */
export function stage() {
  const host = document.createElement('div');
  document.body.append(host);
  const root = createRoot(host);
  return { host, render: (element: JSX.Element) => root.render(element) };
}
