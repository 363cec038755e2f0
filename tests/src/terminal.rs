//! A real terminal, by tmux: for what only shows there. Used by tests of `top`.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::{App, DEADLINE, binary};

/// A tmux server of its own with one window. Killed when dropped.
#[derive(Debug)]
pub struct Terminal {
    socket: PathBuf,
}

impl Terminal {
    /// Runs a command of the built binary for this app's host in a terminal of this size. It stays open when the command has
    /// ended.
    #[track_caller]
    pub fn open(app: &App, name: &str, columns: u16, lines: u16, command: &str) -> Self {
        let terminal = Self { socket: app.folder().join(format!("tmux-{name}")) };
        let line = format!(
            "XDG_RUNTIME_DIR='{}' '{}' {command}; echo ended with $?; sleep 1000",
            app.folder().display(),
            binary().display()
        );
        let (columns, lines) = (columns.to_string(), lines.to_string());
        terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &lines, "sh", "-c", &line]);
        terminal
    }

    #[track_caller]
    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux").arg("-S").arg(&self.socket).args(arguments).output();
        let output = output.unwrap_or_else(|error| panic!("tmux: {error}; `cargo xtask setup` installs it"));
        assert!(output.status.success(), "tmux {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// What it shows now.
    #[track_caller]
    pub fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until it shows what is wanted; all of the screen then.
    #[track_caller]
    pub fn shows(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(Instant::now() < until, "{what} did not come:\n{screen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses keys, by tmux's names for them.
    #[track_caller]
    pub fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Another size.
    #[track_caller]
    pub fn resize(&self, columns: u16, lines: u16) {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &lines.to_string()]);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(&self.socket).arg("kill-server").output();
    }
}
