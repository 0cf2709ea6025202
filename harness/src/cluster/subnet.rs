//! The ranges of addresses that clusters take.

use std::fmt;
use std::net::Ipv4Addr;

/// All clusters of a host together live in `10.231.0.0/16`.
pub(crate) const POOL: &str = "10.231.0.0/16";
const FIRST: u8 = 10;
const SECOND: u8 = 231;

/// One /24 of the pool: the addresses of one cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subnet(u8);

impl Subnet {
    /// The subnet `10.231.<third>.0/24`.
    pub fn new(third: u8) -> Self {
        Self(third)
    }

    /// Every subnet of the pool, in the order in which they are tried. 0 is left out, because
    /// people expect it to be special.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=254).map(Self)
    }

    /// Reads `10.231.7.0/24`; `None` for anything outside the pool.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let [first, second, third, fourth] = address.parse::<Ipv4Addr>().ok()?.octets();
        (prefix == "24" && first == FIRST && second == SECOND && fourth == 0).then_some(Self(third))
    }

    /// The address with this last octet.
    pub fn address(self, last: u8) -> Ipv4Addr {
        Ipv4Addr::new(FIRST, SECOND, self.0, last)
    }

    /// The host's own address in the subnet.
    pub fn gateway(self) -> Ipv4Addr {
        self.address(1)
    }

    /// The name of the network's bridge on the host. It is ours to choose, so that rules which
    /// name it can be recognised later; the kernel allows 15 characters.
    pub fn bridge(self) -> String {
        format!("{BRIDGE_PREFIX}{}", self.0)
    }
}

/// How the names of our bridges begin.
pub(crate) const BRIDGE_PREFIX: &str = "chrysalis-";

impl fmt::Display for Subnet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/24", self.address(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_read_back_and_foreign_ones_do_not() {
        for subnet in Subnet::all() {
            assert_eq!(Subnet::parse(&subnet.to_string()), Some(subnet));
            assert!(subnet.bridge().len() <= 15, "{}", subnet.bridge());
        }
        for foreign in [
            "172.17.0.0/16",
            "10.231.7.0/25",
            "10.231.7.1/24",
            "10.231.7.0",
            "x/24",
        ] {
            assert_eq!(Subnet::parse(foreign), None, "{foreign}");
        }
        assert_eq!(Subnet::new(7).gateway().to_string(), "10.231.7.1");
    }
}
