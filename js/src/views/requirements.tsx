/** The box for requirements, with the versions the kernel's index offers for the one being typed. */
import * as React from 'react';

import type { IJob, IResult, IVersion } from '../tokens';
import type { IViewProps } from './view';

const LIST = 'safeinstall-versions';
/** So long nothing is typed before a version that was begun is looked up. */
const PAUSE = 350;
/** An operator with or without the beginning of a version: the name is complete. */
const VERSION_BEGUN = /[\w\])][ ]*[=<>~!]=?=?[ ]*[\w.*+]*$/;

export function Requirements(props: IViewProps & { onSubmit: () => void }): JSX.Element {
  const { model, session, trans } = props;
  const box = React.useRef<HTMLInputElement>(null);
  const timer = React.useRef<ReturnType<typeof setTimeout>>();
  /** Where in which line versions are wanted, and whether somebody asked for them by a key. */
  const [wanted, setWanted] = React.useState<IWanted | null>(null);
  const [active, setActive] = React.useState(-1);
  React.useEffect(() => () => clearTimeout(timer.current), []);

  const current = wanted !== null && wanted.line === model.line ? wanted : null;
  // An answer about another line than the one in the box has come too late.
  const answer = current && answerTo(current, session.lookup);
  const offers: IVersion[] = answer?.versions ?? [];
  const open = offers.length > 0;
  const looking = current !== null && session.lookup?.state === 'running';

  const lookUp = (byKey: boolean) => {
    clearTimeout(timer.current);
    if (model.isOffered) {
      return; // a look-up would ask the index that the line names
    }
    const line = box.current?.value ?? model.line;
    const now = { line, cursor: box.current?.selectionStart ?? line.length, byKey };
    setWanted(now);
    setActive(-1);
    if (!answerTo(now, session.lookup)) {
      void session.lookUpVersions(line, now.cursor);
    }
  };
  const close = () => {
    clearTimeout(timer.current);
    setWanted(null);
    setActive(-1);
  };
  const choose = (offer: IVersion) => {
    close();
    model.setLine(offer.line);
    box.current?.focus();
  };
  const onChange = (event: React.ChangeEvent<HTMLInputElement>) => {
    close();
    model.setLine(event.target.value);
    const before = event.target.value.slice(0, event.target.selectionStart ?? undefined);
    // Beside a running cell a question makes Lab show the kernel as idle: then only by a key.
    if (VERSION_BEGUN.test(before) && session.kernel.status === 'idle' && !session.working) {
      timer.current = setTimeout(() => lookUp(false), PAUSE);
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (event.nativeEvent.isComposing) {
      return;
    }
    if (open && step) {
      event.preventDefault();
      setActive((active + step + offers.length + (active < 0 && step < 0 ? 1 : 0)) % offers.length);
    } else if (event.key === 'ArrowDown' && model.line.trim()) {
      event.preventDefault();
      lookUp(true);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (open && active >= 0) {
        choose(offers[active]);
      } else {
        close();
        props.onSubmit();
      }
    } else if (event.key === 'Escape' && current) {
      event.stopPropagation();
      close();
    } else if (event.key === 'Tab') {
      close();
    }
  };
  return (
    <div className="si-Requirements">
      <input
        ref={box}
        id="safeinstall-requirements"
        className="jp-mod-styled"
        data-safeinstall="requirements"
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={open}
        aria-controls={LIST}
        aria-activedescendant={open && active >= 0 ? `${LIST}-${active}` : undefined}
        placeholder={trans.__('pandas "polars>=1"')}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={model.line}
        onChange={onChange}
        onKeyDown={onKeyDown}
        onBlur={close}
      />
      <button
        type="button"
        className="si-IconButton si-Versions-open"
        tabIndex={-1}
        title={trans.__('Versions of what is typed (arrow down)')}
        aria-label={trans.__('Versions of what is typed (arrow down)')}
        aria-expanded={open}
        aria-controls={LIST}
        disabled={!model.line.trim()}
        onMouseDown={event => event.preventDefault()}
        onClick={() => {
          box.current?.focus();
          if (open) {
            close();
          } else {
            lookUp(true);
          }
        }}
      >
        ▾
      </button>
      <ul
        id={LIST}
        className="si-Versions"
        role="listbox"
        aria-label={trans.__('Versions')}
        data-safeinstall="versions"
        hidden={!open}
      >
        {offers.map((offer, index) => (
          <li
            key={offer.version}
            id={`${LIST}-${index}`}
            role="option"
            aria-selected={index === active}
            onMouseDown={event => event.preventDefault()}
            onMouseMove={() => setActive(index)}
            onClick={() => choose(offer)}
          >
            <span>{offer.version}</span>
            {offer.note && <span className="si-Note">{offer.note}</span>}
          </li>
        ))}
      </ul>
      <div
        className={current?.byKey && !open && (looking || answer) ? 'si-Versions' : 'si-Unseen'}
        role="status"
      >
        {looking && current?.byKey && trans.__('looking up versions …')}
        {!looking && answer && announcement(offers, current?.byKey ?? false, props)}
      </div>
    </div>
  );
}

interface IWanted {
  line: string;
  cursor: number;
  byKey: boolean;
}

function answerTo(wanted: IWanted, job: IJob | null): IResult | null {
  const result = job?.state === 'ended' ? job.result : null;
  return result?.line === wanted.line && result.cursor === wanted.cursor ? result : null;
}

function announcement(offers: IVersion[], byKey: boolean, props: IViewProps): string {
  const { trans } = props;
  if (offers.length) {
    return trans._n('One version.', '%1 versions, the newest first.', offers.length);
  }
  return byKey ? trans.__('No versions are known.') : '';
}
