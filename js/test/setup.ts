/** What a browser has and jsdom has not. */
const anything = globalThis as any;

anything.DragEvent ??= class extends Event {};
class Observer {
  observe() {}
  unobserve() {}
  disconnect() {}
}
anything.ResizeObserver ??= Observer;
anything.IntersectionObserver ??= Observer;
anything.matchMedia ??= () => ({ matches: false, addListener() {}, addEventListener() {} });
anything.requestIdleCallback ??= (call: () => void) => setTimeout(call, 0);
anything.cancelIdleCallback ??= (handle: number) => clearTimeout(handle);
anything.IS_REACT_ACT_ENVIRONMENT = true;
