/** A kernel whose answers a test gives when it wants to. */
import { Signal } from '@lumino/signaling';

import { IKernelConnection, RequestError } from '../src/kernelConnection';
import type { IKernel } from '../src/kernelLifecycle';
import type { IFacts, IJob } from '../src/tokens';

export class FakeKernel implements IKernel {
  constructor(
    readonly id: string,
    language = 'python'
  ) {
    this.spec = Promise.resolve({ language });
  }
  status: any = 'starting';
  isDisposed = false;
  spec: Promise<{ language: string }>;
  statusChanged = new Signal<this, any>(this);
  disposed = new Signal<this, void>(this);

  is(status: string): void {
    this.status = status;
    this.statusChanged.emit(status);
  }
}

export interface IFakeRequest {
  method: string;
  params: any;
  now: boolean;
  answer: (value: unknown) => Promise<void>;
  refuse: (message: string) => Promise<void>;
}

export class FakeConnection implements IKernelConnection {
  requests: IFakeRequest[] = [];
  jobChanged = new Signal<this, IJob>(this);
  outcomeShown = new Signal<this, string>(this);
  isDisposed = false;
  resets = 0;

  request<T>(method: string, params: object = {}, now = false): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.requests.push({
        method,
        params,
        now,
        answer: async value => {
          resolve(value as T);
          await settled();
        },
        refuse: async message => {
          reject(new RequestError({ code: 'test', message, hint: '' }));
          await settled();
        }
      });
    });
  }
  reset(): void {
    this.resets += 1;
  }
  dispose(): void {
    this.isDisposed = true;
  }
  get last(): IFakeRequest {
    return this.requests[this.requests.length - 1];
  }
}

export async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) {
    await Promise.resolve();
  }
}

export function facts(change: Partial<IFacts> = {}): IFacts {
  return {
    executable: '/home/ana/proj/.venv/bin/python',
    version: '3.12.1',
    name: 'proj/.venv',
    kind: 'venv',
    kind_words: 'virtual environment',
    prefix: '/home/ana/proj/.venv',
    label: '~/proj/.venv',
    packages: '/home/ana/proj/.venv/lib/python3.12/site-packages',
    shown_packages: '~/proj/.venv/lib/python3.12/site-packages',
    verdict: { state: 'yes', sentence: 'Installs go here', reason: '', new_environment: false },
    findings: [],
    wrong: [],
    abilities: ['install', 'uninstall', 'undo', 'new_environment'],
    jobs: [],
    outcomes: [],
    ...change
  };
}

export function job(change: Partial<IJob> = {}): IJob {
  return {
    id: '1-1',
    kind: 'install',
    title: 'pandas',
    state: 'running',
    words: 'looking up what is needed',
    fraction: null,
    cancelling: false,
    seconds: 0,
    result: null,
    ...change
  };
}
