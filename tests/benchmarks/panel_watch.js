// Runs in the page before Lab does: notes each message to and from kernels, and when words appear.
(() => {
  const asked = new Map();
  const answered = new Map();
  let idle = null;
  let shown = null;
  const text = data =>
    typeof data === 'string' ? data : new TextDecoder().decode(new Uint8Array(data).slice(0, 6000));
  const ids = words => [...words.matchAll(/"msg_id": ?"([^"]+)"/g)].map(found => found[1]);
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', event => {
        const words = text(event.data);
        if (/"msg_type": ?"execute_reply"/.test(words)) {
          for (const id of ids(words)) {
            if (asked.has(id) && !answered.has(id)) {
              answered.set(id, performance.now());
            }
          }
        } else if (!asked.size && /"execution_state": ?"idle"/.test(words)) {
          idle = performance.now();
        }
      });
    }
    send(data) {
      const words = text(data);
      if (/"msg_type": ?"execute_request"/.test(words) && /"silent": ?true/.test(words)) {
        asked.set(ids(words)[0], performance.now());
      }
      super.send(data);
    }
  };
  const until = (holds, start = performance.now()) =>
    new Promise((resolve, reject) => {
      const look = () => {
        if (holds()) {
          observer.disconnect();
          clearTimeout(late);
          resolve(performance.now() - start);
        }
      };
      const late = setTimeout(() => reject(new Error(`never: ${holds}`)), 60000);
      const observer = new MutationObserver(look);
      observer.observe(document.body, { subtree: true, childList: true, characterData: true });
      look();
    });
  const part = name => document.querySelector(`[data-safeinstall=${name}]`);
  document.addEventListener('DOMContentLoaded', () => {
    void until(() => part('verdict')).then(() => (shown = performance.now()));
  });
  let stamps = null;
  window.watched = {
    opening: () => {
      const [sent] = asked.values();
      return { silent: asked.size, fromQuestion: shown - sent, fromIdle: shown - idle };
    },
    refresh: async () => {
      const before = answered.size;
      const start = performance.now();
      document.querySelector('.si-Header .si-IconButton').click();
      while (answered.size === before) {
        await new Promise(resolve => setTimeout(resolve, 1));
      }
      return [...answered.values()].pop() - start;
    },
    back: async name => {
      const shell = window.jupyterapp.shell;
      const other = [...shell.widgets('main')].find(one => one !== shell.currentWidget && one.context);
      const start = performance.now();
      shell.activateById(other.id);
      return until(() => part('executable')?.textContent.includes(name), start);
    },
    cell: async (number, words) => {
      const { content } = window.jupyterapp.shell.currentWidget;
      content.widgets[number].model.clearExecution?.();
      content.widgets[number].outputArea.model.clear();
      content.activeCellIndex = number;
      const start = performance.now();
      void window.jupyterapp.commands.execute('notebook:run-cell');
      const node = content.widgets[number].outputArea.node;
      const spent = await until(() => node.textContent.includes(words), start);
      await new Promise(resolve => setTimeout(resolve, 300));
      return spent;
    },
    install: async (line, words) => {
      const model = part('requirements');
      Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(model, line);
      model.dispatchEvent(new Event('input', { bubbles: true }));
      await until(() => !part('install').disabled);
      const start = performance.now();
      part('install').click();
      await until(() => part('progress'), start);
      const spent = await until(
        () => !part('progress') && part('status').textContent.includes(words), start);
      await new Promise(resolve => setTimeout(resolve, 300));
      return spent;
    },
    packages: async count => {
      const section = part('packages');
      const start = performance.now();
      section.querySelector('summary').click();
      return until(() => section.textContent.includes(`made-up-package-${count - 1}`), start);
    },
    frames: () => {
      stamps = [];
      const tick = now => {
        stamps.push(now);
        requestAnimationFrame(tick);
      };
      requestAnimationFrame(tick);
    },
    drag: async () => {
      const list = document.querySelector('.si-List');
      list.scrollTop = 0;
      window.watched.frames();
      for (let step = 0; step <= 60; step++) {
        list.scrollTop = ((list.scrollHeight - list.clientHeight) * step) / 60;
        await new Promise(requestAnimationFrame);
      }
      return window.watched.framesSeen();
    },
    framesSeen: () => stamps.slice(1).map((now, index) => now - stamps[index])
  };
})();
