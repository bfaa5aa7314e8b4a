"""The panel in a real browser, on real servers, with kernels in other environments."""
