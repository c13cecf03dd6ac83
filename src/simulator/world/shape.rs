//! What an instance is at a moment: size, mode, replicas, port, public address.
//!
//! Operations read the old values from here and write the new ones back, so that the history of an instance never
//! contradicts itself.

use std::net::Ipv4Addr;

use crate::simulator::rng::Rng;

/// The sizes on sale, in GB as the upstream writes them: decimal text.
pub(super) const SIZES: [&str; 10] = ["0.125", "0.25", "0.5", "1", "2", "4", "8", "16", "32", "64"];

/// The smallest size of a cluster: 4 GB.
pub(super) const SMALLEST_CLUSTER: u8 = 5;

/// How an instance keeps its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Single,
    MasterStandby,
    Cluster,
}

impl Mode {
    /// The mode's name in `old_cache_mode` and in specification codes.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::MasterStandby => "ha",
            Self::Cluster => "cluster",
        }
    }
}

/// What is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    /// A position in [`SIZES`].
    pub(super) size: u8,
    pub(super) mode: Mode,
    /// The master counts: 1 is a single node.
    pub(super) replicas: u8,
}

impl Spec {
    /// The capacity in GB as decimal text.
    pub(super) fn capacity(self) -> &'static str {
        SIZES[usize::from(self.size).min(SIZES.len() - 1)]
    }

    /// The specification code, such as `redis.ha.xu1.large.r2.4`; below one GB the size is told in MB.
    pub(super) fn code(self) -> String {
        let replicas = match self.mode {
            Mode::Single => String::new(),
            Mode::MasterStandby | Mode::Cluster => format!(".r{}", self.replicas),
        };
        let (class, size) = match self.capacity() {
            "0.125" => ("tiny", "128"),
            "0.25" => ("tiny", "256"),
            "0.5" => ("tiny", "512"),
            gigabytes => ("large", gigabytes),
        };
        format!("redis.{}.xu1.{class}{replicas}.{size}", self.mode.name())
    }
}

/// A public address and the id of its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PublicIp {
    pub(super) address: Ipv4Addr,
    /// What the id is derived from; the id itself is written when asked for.
    seed: u64,
}

impl PublicIp {
    /// Draws an address from the ranges that RFC 5737 keeps for documentation: it belongs to nobody.
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let [first, second, third] = rng.pick([[198, 51, 100], [203, 0, 113]]);
        let last = rng.pick([17, 21, 38, 44, 59, 73, 86, 102, 140, 177, 201, 233]);
        Self {
            address: Ipv4Addr::new(first, second, third, last),
            seed: rng.draw(),
        }
    }

    pub(super) fn id(self) -> String {
        Rng::new(self.seed, "public address", 0).uuid()
    }
}

/// An instance's attributes as far as operations change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) spec: Spec,
    pub(super) port: u16,
    pub(super) public_ip: Option<PublicIp>,
    /// The instance's place in the private network; its nodes count on from `.10`.
    network: u8,
}

impl Shape {
    /// Draws what an instance was when it was created.
    pub(super) fn draw(rng: &mut Rng, number: usize) -> Self {
        let mode = rng.pick([
            Mode::Single,
            Mode::MasterStandby,
            Mode::MasterStandby,
            Mode::Cluster,
        ]);
        let (sizes, replicas) = match mode {
            Mode::Single => ([0, 1, 2, 3], 1),
            Mode::MasterStandby => ([1, 3, 4, 5], 2),
            Mode::Cluster => ([5, 6, 6, 7], 2),
        };
        Self {
            spec: Spec {
                size: rng.pick(sizes),
                mode,
                replicas,
            },
            port: 6379,
            public_ip: None,
            network: u8::try_from(number % 250).unwrap_or(0),
        }
    }

    /// The private address of a node, counted from 0.
    pub(super) fn node(self, number: u8) -> Ipv4Addr {
        Ipv4Addr::new(192, 168, self.network, number.saturating_add(10))
    }

    /// The private addresses as the list of instances tells them: one, or those of a cluster with commas.
    pub(super) fn addresses(self) -> String {
        let nodes = match self.spec.mode {
            Mode::Single | Mode::MasterStandby => 1,
            Mode::Cluster => 3,
        };
        let addresses: Vec<String> = (0..nodes).map(|node| self.node(node).to_string()).collect();
        addresses.join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specification_codes_are_written_as_the_catalogue_does() {
        let cases = [
            (0, Mode::Single, 1, "0.125", "redis.single.xu1.tiny.128"),
            (3, Mode::Single, 1, "1", "redis.single.xu1.large.1"),
            (
                1,
                Mode::MasterStandby,
                2,
                "0.25",
                "redis.ha.xu1.tiny.r2.256",
            ),
            (5, Mode::MasterStandby, 3, "4", "redis.ha.xu1.large.r3.4"),
            (6, Mode::Cluster, 2, "8", "redis.cluster.xu1.large.r2.8"),
        ];
        for (size, mode, replicas, capacity, code) in cases {
            let spec = Spec {
                size,
                mode,
                replicas,
            };
            assert_eq!((spec.capacity(), spec.code().as_str()), (capacity, code));
        }
    }

    #[test]
    fn a_public_address_is_one_that_belongs_to_nobody() {
        let mut rng = Rng::new(1, "test", 0);
        for _ in 0..100 {
            let drawn = PublicIp::draw(&mut rng);
            assert!(drawn.address.is_documentation(), "{}", drawn.address);
            assert_eq!(drawn.id(), drawn.id());
            assert_eq!(drawn.id().len(), 36);
        }
    }
}
