// Owns light and dark: the system decides unless the person has, and their choice is kept in localStorage.
import { useState } from 'preact/hooks';

export type Theme = 'auto' | 'light' | 'dark';

const STORAGE_KEY = 'hardshell.theme';

export function storedTheme(): Theme {
  const stored = localStorage.getItem(STORAGE_KEY);
  return stored === 'light' || stored === 'dark' ? stored : 'auto';
}

export function applyTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(storedTheme);
  return [
    theme,
    (next) => {
      if (next === 'auto') localStorage.removeItem(STORAGE_KEY);
      else localStorage.setItem(STORAGE_KEY, next);
      applyTheme(next);
      setTheme(next);
    },
  ];
}
