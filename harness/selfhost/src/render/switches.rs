//! Deliberate mistakes: each switch renders a cluster that is wrong in one known way.

/// The mistakes to build in; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Switches {
    /// The apiserver DaemonSet asks for a node label of this key that no node carries,
    /// so that its pods cannot be scheduled.
    pub(crate) apiserver_node_selector: Option<String>,
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
    #[error("--switch `{switch}`: `{value}` is not a label key such as example.org/kind")]
    BadValue {
        /// The switch.
        switch: String,
        /// What was given.
        value: String,
    },
}

const APISERVER_NODE_SELECTOR: &str = "apiserver-node-selector";
const KNOWN: &[&str] = &["apiserver-node-selector=KEY"];

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
            if key != APISERVER_NODE_SELECTOR {
                return Err(SwitchError::Unknown(key.to_owned()));
            }
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
            if value.is_empty() || value.len() > 63 || !value.bytes().all(fits) {
                return Err(SwitchError::BadValue {
                    switch: key.to_owned(),
                    value: value.to_owned(),
                });
            }
            switches.apiserver_node_selector = Some(value.to_owned());
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
    }
}
