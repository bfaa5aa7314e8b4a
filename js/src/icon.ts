import { LabIcon } from '@jupyterlab/ui-components';

/** A package on its way into a tray: drawn for this project. */
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M11 2h2v8.2l2.6-2.6L17 9l-5 5-5-5 1.4-1.4L11 10.2z"/>
    <path d="M3 12h2v7h14v-7h2v9H3z"/>
  </g>
</svg>`;

export const safeinstallIcon = new LabIcon({ name: 'safeinstall:panel', svgstr: SVG });
