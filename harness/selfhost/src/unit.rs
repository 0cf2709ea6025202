//! `selfhost unit`: the systemd unit that makes the installer survive its node.

use std::fmt::Write;

/// What `selfhost unit` is told.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Unit {
    /// Where the command lies on the node.
    #[arg(long, value_name = "PATH", default_value = "/usr/local/bin/selfhost")]
    pub(crate) program: String,
    /// The arguments of `selfhost start`, after `--`.
    #[arg(last = true, required = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<String>,
}

impl Unit {
    /// The unit's text. There is no `Restart`: an installer that was killed stays so until somebody
    /// starts it again or the node boots, for which the unit is enabled. One that is done does not start
    /// with the node any more: who remembers nothing would begin anew.
    pub(crate) fn text(&self) -> String {
        let mut command = format!("{} start", quoted(&self.program));
        for argument in &self.arguments {
            let _ = write!(command, " {}", quoted(argument));
        }
        format!(
            "[Unit]\n\
             Description=Installer of a self-hosted Kubernetes control plane\n\
             After=network.target containerd.service kubelet.service\n\
             \n\
             [Service]\n\
             Type=exec\n\
             ExecStart={command}\n\
             Restart=no\n\
             # 3: it holds and waits for a person. 4: what is there belongs to somebody else.\n\
             SuccessExitStatus=3 4 143\n\
             ExecStopPost=-/bin/sh -c '[ \"$$EXIT_CODE:$$EXIT_STATUS\" != exited:0 ] || systemctl disable --no-reload %n'\n\
             StandardOutput=journal\n\
             StandardError=journal\n\
             \n\
             [Install]\n\
             WantedBy=multi-user.target\n"
        )
    }
}

/// An argument as systemd reads it back unchanged.
fn quoted(argument: &str) -> String {
    let escaped = argument
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('%', "%%")
        .replace('$', "$$");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@".contains(&byte);
    if !escaped.is_empty() && escaped.bytes().all(plain) {
        escaped
    } else {
        format!("\"{escaped}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_arrive_as_they_were_given() {
        let arguments = ["--assets", "/var/lib/self host/a$b%"]
            .map(ToOwned::to_owned)
            .to_vec();
        let text = Unit {
            program: "/usr/local/bin/selfhost".to_owned(),
            arguments,
        }
        .text();
        let line =
            "ExecStart=/usr/local/bin/selfhost start --assets \"/var/lib/self host/a$$b%%\"\n";
        assert!(text.contains(line), "{text}");
        assert!(text.contains("WantedBy=multi-user.target"));
        // The shell, not systemd, puts in how the process ended.
        assert!(text.contains("[ \"$$EXIT_CODE:$$EXIT_STATUS\" != exited:0 ]"));
    }
}
