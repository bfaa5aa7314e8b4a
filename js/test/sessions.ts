/** Sessions of kernels of which a test is the master, and a place to look at what the panel shows. */
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';
import { createRoot } from 'react-dom/client';

import { KernelSession } from '../src/kernelSession';
import { FakeConnection, FakeKernel, facts, settled } from './fakes';

export const act = (React as any).act as (work: () => unknown) => Promise<void>;
export const trans = nullTranslator.load('test');
export const HOSTILE = '<img src=x onerror="alert(1)">\u202e';

/** Return a session of a kernel that is still starting. */
export function startingSession(language = 'python') {
  const kernel = new FakeKernel('k', language);
  const connection = new FakeConnection();
  const session = new KernelSession(
    kernel,
    () => connection,
    () => ({ shell_installs: 'warn' })
  );
  return { kernel, connection, session };
}

/** Return a session of a kernel whose facts are known. */
export async function readySession() {
  const made = startingSession();
  await settled();
  made.kernel.is('idle');
  await made.connection.last.answer(facts());
  return made;
}

/** Return a place in the document, and what renders into it. */
export function stage() {
  const host = document.createElement('div');
  document.body.append(host);
  const root = createRoot(host);
  return { host, render: (element: JSX.Element) => root.render(element) };
}
