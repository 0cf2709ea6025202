//! Deliberate mistakes, each of which renders a cluster that is wrong in one known way; and which plan
//! the checkpoint agents follow.

use terms::Milliseconds;

/// What is rendered otherwise than usual; nothing by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Switches {
    /// The apiserver DaemonSet asks for a node label of this key that no node carries,
    /// so that its pods cannot be scheduled.
    pub(crate) apiserver_node_selector: Option<String>,
    /// What the checkpoint agents follow: a plan that ships, or a file. What belongs to the policy unless said.
    pub(crate) agent_policy: Option<String>,
    /// How long the certificates of nodes, components and the installer live from now on. Authorities, the escrow's own
    /// credentials and those of people outside live as usual.
    pub(crate) certificates_live: Option<Milliseconds>,
}

/// Why a switch is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum SwitchError {
    /// Not of the form `KEY=VALUE`.
    #[error("--switch `{0}`: expected KEY=VALUE; known switches: {known}", known = KNOWN.join(", "))]
    NotAPair(String),
    /// No such switch.
    #[error("--switch `{0}`: no such switch; known switches: {known}", known = KNOWN.join(", "))]
    Unknown(String),
    /// The value does not suit the switch.
    #[error("--switch `{switch}`: `{value}` is not {wanted}")]
    BadValue {
        /// The switch.
        switch: String,
        /// What was given.
        value: String,
        /// What would be right.
        wanted: &'static str,
    },
}

const APISERVER_NODE_SELECTOR: &str = "apiserver-node-selector";
const AGENT_POLICY: &str = "agent-policy";
const CERTIFICATES_LIVE: &str = "certificates-live";
const KNOWN: &[&str] = &[
    "apiserver-node-selector=KEY",
    "agent-policy=NAME|FILE",
    "certificates-live=DURATION",
];

impl Switches {
    /// Reads switches given as `KEY=VALUE`.
    ///
    /// # Errors
    /// Names the switch and lists the known ones.
    pub(crate) fn parse<'a>(given: impl IntoIterator<Item = &'a str>) -> Result<Self, SwitchError> {
        let mut switches = Self::default();
        for pair in given {
            let (key, value) = pair
                .split_once('=')
                .ok_or_else(|| SwitchError::NotAPair(pair.to_owned()))?;
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
            let is_plain = !value.is_empty() && value.bytes().all(fits);
            let bad = |wanted| SwitchError::BadValue {
                switch: key.to_owned(),
                value: value.to_owned(),
                wanted,
            };
            match key {
                APISERVER_NODE_SELECTOR if is_plain && value.len() <= 63 => {
                    switches.apiserver_node_selector = Some(value.to_owned());
                }
                APISERVER_NODE_SELECTOR => return Err(bad("a label key such as example.org/kind")),
                AGENT_POLICY if is_plain => switches.agent_policy = Some(value.to_owned()),
                AGENT_POLICY => return Err(bad("a plan's name or the path of a file")),
                CERTIFICATES_LIVE => match value.parse() {
                    Ok(Milliseconds(0)) | Err(_) => {
                        return Err(bad("a duration such as 4m or 1m30s"));
                    }
                    Ok(live) => switches.certificates_live = Some(live),
                },
                _ => return Err(SwitchError::Unknown(key.to_owned())),
            }
        }
        Ok(switches)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_switches_are_read_and_unknown_ones_listed() {
        let switches = Switches::parse(["apiserver-node-selector=chrysalis/nowhere"]).unwrap();
        assert_eq!(
            switches.apiserver_node_selector.as_deref(),
            Some("chrysalis/nowhere")
        );
        for wrong in ["apiserver-node-selecter=x", "apiserver-node-selector", ""] {
            let said = Switches::parse([wrong]).unwrap_err().to_string();
            assert!(
                said.contains("known switches: apiserver-node-selector=KEY"),
                "{said}"
            );
        }
        assert!(Switches::parse(["apiserver-node-selector=a b"]).is_err());
        let switches = Switches::parse(["agent-policy=/var/lib/selfhost/agent.json"]).unwrap();
        assert_eq!(
            switches.agent_policy.as_deref(),
            Some("/var/lib/selfhost/agent.json")
        );
        assert!(Switches::parse(["agent-policy="]).is_err());
        let switches = Switches::parse(["certificates-live=1m30s"]).unwrap();
        assert_eq!(switches.certificates_live, Some(Milliseconds(90_000)));
        for wrong in ["certificates-live=0s", "certificates-live=soon"] {
            let said = Switches::parse([wrong]).unwrap_err().to_string();
            assert!(said.contains("is not a duration such as 4m"), "{said}");
        }
    }
}
