// Owns the names of programs that run whatever they are handed, as code or as another program. The settings warn of them
// and commands are judged by them, so there is one list. Data only.

/** Take a script, or code in an argument. */
export const INTERPRETERS: readonly string[] = `sh bash dash ash zsh ksh mksh fish csh tcsh rbash pwsh node nodejs
  deno bun tsx ts-node python pypy perl ruby irb php lua luajit tclsh wish expect Rscript julia guile ghci runghc
  scala groovy jshell osascript awk gawk mawk nawk original-awk sed gsed ed red ex bc dc m4 sqlite3 psql mysql
  mariadb mongosh redis-cli gdb lldb`.split(/\s+/);
/** Start another program that stands among their arguments. */
export const WRAPPERS: readonly string[] = `env nice nohup timeout stdbuf setsid ionice chrt taskset time command
  builtin exec xargs parallel flock watch find fd fdfind script strace ltrace perf valgrind chpst setarch prlimit
  choom unbuffer rlwrap busybox toybox coreutils run-parts entr start-stop-daemon dbus-run-session xvfb-run proot
  fakeroot ld.so ld-linux catchsegv uconv`.split(/\s+/);
/** Have commands of their own, files of the workspace or options that start other programs. */
export const RUNNERS: readonly string[] = `git hg svn make gmake cmake ninja meson bazel just rake ant mvn gradle
  scons npm npx yarn pnpm pnpx corepack pip pip3 pipx uv uvx poetry conda gem bundle cargo rustc rustup go gcc cc
  g++ clang ld composer dotnet java javac docker podman nerdctl kubectl helm buildah runc lxc vagrant ansible
  terraform vim vi nvim view rvim emacs nano pico joe less more most man info lynx w3m ssh scp sftp rsync rsh telnet
  nc ncat netcat socat ftp lftp curl wget aria2c tar bsdtar cpio zip unzip 7z dpkg apt apt-get rpm dnf yum apk brew
  snap screen tmux dtach openssl gpg tcpdump ffmpeg convert magick gs pdflatex tex latex crontab at batch systemctl
  systemd-run service launchctl init split logrotate`.split(/\s+/);
/** Want the rights of another user or of the kernel. */
export const PRIVILEGED: readonly string[] = `sudo sudoedit su doas pkexec run0 runuser sg newgrp chroot nsenter
  unshare setpriv capsh mount umount insmod modprobe rmmod kexec pivot_root switch_root bwrap machinectl reboot
  shutdown poweroff halt useradd usermod passwd chpasswd visudo`.split(/\s+/);

const ANYTHING = new Set([...INTERPRETERS, ...WRAPPERS, ...RUNNERS, ...PRIVILEGED]);

/** `/usr/bin/python3.11` is `python`; `vim.basic` is `vim`; a loader is `ld.so`. */
export function plainProgramName(program: string): string {
  const base = program.split('/').at(-1) ?? program;
  if (/^ld-(linux|musl)[\w.-]*$|^ld\.so/.test(base)) return 'ld.so';
  if (ANYTHING.has(base)) return base;
  return base.replace(/[-.]?\d[\d.]*$/, '').replace(/\.[a-z]+$/, '') || base;
}

export const runsAnything = (program: string): boolean => ANYTHING.has(plainProgramName(program));
