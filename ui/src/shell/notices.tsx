// Owns the short lines at the foot of the page: what was just done, with a way back where there is one.
import { useAppState } from '../app/context.ts';

export function Notices() {
  const notices = useAppState((s) => s.notices);
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.map((notice) => (
        <div key={notice.id} class={`notice is-${notice.tone}`}>
          <span>{notice.text}</span>
          {notice.action && (
            <button type="button" class="quiet" onClick={notice.action.run}>
              {notice.action.label}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
