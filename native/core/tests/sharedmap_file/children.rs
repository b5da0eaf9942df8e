//! Tests that start other processes.
//!
//! A test starts its own executable again, with a role and a path in the environment. The child
//! runs the test `child` only, and answers in lines that contain `@`.

use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A child, and the pipes to it.
pub(crate) struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    /// Starts a child.
    pub(crate) fn start(role: &str, path: &Path) -> Process {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env("OFFHEAP_ROLE", role)
            .env("OFFHEAP_PATH", path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Process { child, input, output }
    }

    /// The next answer.
    pub(crate) fn answer(&mut self) -> String {
        for line in (&mut self.output).lines() {
            // libtest prints to the same lines.
            if let Some((_, answer)) = line.unwrap().split_once('@') {
                return answer.to_owned();
            }
        }
        panic!("the child ended without an answer");
    }

    /// Lets a child continue that waits in [`wait_for_line`].
    pub(crate) fn go_on(&mut self) {
        self.input.write_all(b"\n").unwrap();
        self.input.flush().unwrap();
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: i32) {
        // SAFETY: the child of this test, which has not been waited for.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }

    /// Kills the child, and waits for its end.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Closes the child's input, and expects that it succeeds.
    pub(crate) fn end(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
    }
}

/// Answers to the parent.
pub(crate) fn say(answer: &str) {
    let mut output = std::io::stdout();
    writeln!(output, "@{answer}").unwrap();
    output.flush().unwrap();
}

/// Waits for [`Process::go_on`].
pub(crate) fn wait_for_line() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

/// The role of this process, if it is a child.
pub(crate) fn role() -> Option<String> {
    std::env::var("OFFHEAP_ROLE").ok()
}

/// The path that the parent gave.
pub(crate) fn path() -> PathBuf {
    std::env::var_os("OFFHEAP_PATH").unwrap().into()
}
