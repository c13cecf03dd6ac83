//! What people do to an instance: which operations fit it now, what they change, and how their records tell it.

use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::shape::{Mode, PublicIp, SIZES, SMALLEST_CLUSTER, Shape, Spec};
use crate::model::time::{MINUTE, SECOND};
use crate::simulator::rng::Rng;

/// 2026-07-01T00:00:00Z: from here on a specification change is recorded as `EXTEND`, before as `ChangeInstanceSpec`.
///
/// The upstream renamed the operation at some time; a history that goes over the change shows both names.
const RENAMED_AT: i64 = 1_782_864_000_000;

/// Ports that people move Redis to.
const PORTS: [u16; 6] = [6379, 6380, 6400, 7000, 16_379, 26_379];

/// Accounts that somebody once created and somebody else cleans up.
const ACCOUNTS: [&str; 5] = ["batch", "reporting", "legacy-app", "support", "loadtest"];

/// Whitelist groups, with the network that each lets in.
const GROUPS: [(&str, &str); 5] = [
    ("office", "198.51.100.0/24"),
    ("build-agents", "10.20.0.0/16"),
    ("shop-frontend", "192.168.40.0/24"),
    ("analytics", "10.31.7.0/24"),
    ("partner", "203.0.113.64/26"),
];

/// The zones that replicas are spread over.
pub(super) const ZONES: [&str; 2] = ["eu-sim-01", "eu-sim-02"];

/// The largest number of replicas, and the smallest with a standby, the master counted.
const MOST_REPLICAS: u8 = 5;
const FEWEST_REPLICAS: u8 = 2;

/// One operation with its arguments, small enough to keep a few hundred thousand of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Resize { old: Spec, new: Spec },
    BindEip(PublicIp),
    UnBindEip(PublicIp),
    AddReplica { old: u8, node: Ipv4Addr },
    DelReplica { old: u8, node: Ipv4Addr },
    AddWhitelist { group: u8 },
    UpdatePort { old: u16, new: u16 },
    Password,
    SwapMaster,
    DeleteAcl { account: u8 },
}

/// The kinds that are drawn from; a kind that stands there more often happens more often.
#[derive(Clone, Copy)]
enum Kind {
    Resize,
    Eip,
    AddReplica,
    DelReplica,
    Whitelist,
    Port,
    Password,
    Swap,
    Acl,
}

const KINDS: [Kind; 18] = [
    Kind::Resize,
    Kind::Resize,
    Kind::Resize,
    Kind::Resize,
    Kind::Eip,
    Kind::Eip,
    Kind::AddReplica,
    Kind::AddReplica,
    Kind::DelReplica,
    Kind::Whitelist,
    Kind::Whitelist,
    Kind::Whitelist,
    Kind::Whitelist,
    Kind::Port,
    Kind::Password,
    Kind::Password,
    Kind::Swap,
    Kind::Acl,
];

impl Operation {
    /// Draws an operation that fits the instance as it is. While a change of the shape is under way (`reshaping`) only
    /// operations that leave it alone are drawn, so that no two tasks work from the same old value.
    pub(super) fn draw(shape: Shape, reshaping: bool, rng: &mut Rng) -> Self {
        loop {
            // Passwords and whitelists always fit, so the loop ends.
            let kind = rng.pick(KINDS);
            if let Some(operation) = Self::of(kind, shape, rng)
                && !(reshaping && operation.reshapes())
            {
                return operation;
            }
        }
    }

    fn of(kind: Kind, shape: Shape, rng: &mut Rng) -> Option<Self> {
        let spec = shape.spec;
        let old = spec.replicas;
        Some(match kind {
            Kind::Resize => Self::Resize {
                old: spec,
                new: resized(spec, rng),
            },
            Kind::Eip => match shape.public_ip {
                Some(bound) => Self::UnBindEip(bound),
                None => Self::BindEip(PublicIp::draw(rng)),
            },
            Kind::AddReplica if spec.mode == Mode::MasterStandby && old < MOST_REPLICAS => {
                Self::AddReplica {
                    old,
                    node: shape.node(old),
                }
            }
            Kind::DelReplica if old > FEWEST_REPLICAS => Self::DelReplica {
                old,
                node: shape.node(old - 1),
            },
            Kind::Port => Self::UpdatePort {
                old: shape.port,
                new: other_port(shape.port, rng),
            },
            Kind::Swap if spec.mode != Mode::Single => Self::SwapMaster,
            Kind::AddReplica | Kind::DelReplica | Kind::Swap => return None,
            Kind::Whitelist => Self::AddWhitelist {
                group: rng.pick([0, 1, 2, 3, 4]),
            },
            Kind::Password => Self::Password,
            Kind::Acl => Self::DeleteAcl {
                account: rng.pick([0, 1, 2, 3, 4]),
            },
        })
    }

    /// Says whether success changes the instance's shape.
    pub(super) const fn reshapes(self) -> bool {
        match self {
            Self::Resize { .. }
            | Self::BindEip(_)
            | Self::UnBindEip(_)
            | Self::AddReplica { .. }
            | Self::DelReplica { .. }
            | Self::UpdatePort { .. } => true,
            Self::AddWhitelist { .. }
            | Self::Password
            | Self::SwapMaster
            | Self::DeleteAcl { .. } => false,
        }
    }

    /// Does to the instance what a success does.
    pub(super) const fn apply(self, shape: &mut Shape) {
        match self {
            Self::Resize { new, .. } => shape.spec = new,
            Self::BindEip(address) => shape.public_ip = Some(address),
            Self::UnBindEip(_) => shape.public_ip = None,
            Self::AddReplica { old, .. } => shape.spec.replicas = old + 1,
            Self::DelReplica { old, .. } => shape.spec.replicas = old - 1,
            Self::UpdatePort { new, .. } => shape.port = new,
            Self::AddWhitelist { .. }
            | Self::Password
            | Self::SwapMaster
            | Self::DeleteAcl { .. } => {}
        }
    }

    /// Draws how long the operation takes, 30 seconds to 40 minutes. A change of the shape is slow; now and then
    /// something small is slow too, and then newer tasks finish before it.
    pub(super) fn duration(self, rng: &mut Rng) -> i64 {
        if self.reshapes() || rng.one_in(6) {
            rng.between(3 * MINUTE, 40 * MINUTE)
        } else {
            rng.between(30 * SECOND, 5 * MINUTE)
        }
    }

    /// The name in the record, as the upstream called the operation at that time.
    pub(super) const fn name(self, created: i64) -> &'static str {
        match self {
            Self::Resize { .. } if created < RENAMED_AT => "ChangeInstanceSpec",
            Self::Resize { .. } => "EXTEND",
            Self::BindEip(_) => "BindEip",
            Self::UnBindEip(_) => "UnBindEip",
            Self::AddReplica { .. } => "AddReplica",
            Self::DelReplica { .. } => "DelReplica",
            Self::AddWhitelist { .. } => "AddWhitelist",
            Self::UpdatePort { .. } => "UpdatePort",
            Self::Password => "modify",
            Self::SwapMaster => "masterStandbySwapJob",
            Self::DeleteAcl { .. } => "DeleteAcl",
        }
    }

    /// Says whether the record's steps can be unfolded in the console.
    pub(super) const fn has_steps(self) -> bool {
        matches!(
            self,
            Self::Resize { .. } | Self::AddReplica { .. } | Self::DelReplica { .. }
        )
    }

    /// The record's `details`, with the fields that the operation fills and no others.
    pub(super) fn details(self) -> Value {
        match self {
            Self::Resize { old, new } => json!({
                "old_capacity": old.capacity(),
                "new_capacity": new.capacity(),
                "old_cache_mode": old.mode.name(),
                "new_cache_mode": new.mode.name(),
                "old_resource_spec_code": old.code(),
                "new_resource_spec_code": new.code(),
                "old_replica_num": old.replicas,
                "new_replica_num": new.replicas,
                "is_only_adjust_charging": false,
            }),
            Self::BindEip(address) => public_ip(address, true),
            Self::UnBindEip(address) => public_ip(address, false),
            Self::AddReplica { old, node } => replica(old, old + 1, node),
            Self::DelReplica { old, node } => replica(old, old - 1, node),
            Self::UpdatePort { old, new } => json!({"old_port": old, "new_port": new}),
            Self::DeleteAcl { account } => json!({
                "account_name": ACCOUNTS[usize::from(account) % ACCOUNTS.len()],
            }),
            Self::AddWhitelist { .. } | Self::Password | Self::SwapMaster => json!({}),
        }
    }

    /// The record's `params`: a JSON document encoded as a string, where there is one.
    pub(super) fn params(self) -> Option<String> {
        let Self::AddWhitelist { group } = self else {
            return None;
        };
        let (name, network) = GROUPS[usize::from(group) % GROUPS.len()];
        let params = json!({
            "enable_whitelist": true,
            "whitelist": [{"group_name": name, "ip_list": [network]}],
        });
        Some(params.to_string())
    }
}

/// Draws another specification: mostly one size up, sometimes one down, now and then a single node gets a standby.
fn resized(old: Spec, rng: &mut Rng) -> Spec {
    if old.mode == Mode::Single && rng.one_in(4) {
        return Spec {
            mode: Mode::MasterStandby,
            replicas: FEWEST_REPLICAS,
            ..old
        };
    }
    let smallest = match old.mode {
        Mode::Single | Mode::MasterStandby => 0,
        Mode::Cluster => SMALLEST_CLUSTER,
    };
    let largest = u8::try_from(SIZES.len() - 1).unwrap_or(u8::MAX);
    let up = old.size <= smallest || (old.size < largest && !rng.one_in(3));
    let size = if up { old.size + 1 } else { old.size - 1 };
    Spec { size, ..old }
}

fn other_port(old: u16, rng: &mut Rng) -> u16 {
    loop {
        let port = rng.pick(PORTS);
        if port != old {
            return port;
        }
    }
}

fn public_ip(address: PublicIp, enabled: bool) -> Value {
    json!({
        "enable_public_ip": enabled,
        "public_ip_id": address.id(),
        "public_ip_address": address.address.to_string(),
    })
}

fn replica(old: u8, new: u8, node: Ipv4Addr) -> Value {
    json!({
        "replica_ip": node.to_string(),
        "replica_az": ZONES[usize::from(node.octets()[3] % 2)],
        "group_name": "group-0",
        "old_replica_num": old,
        "new_replica_num": new,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_drawn_fits_and_keeps_the_instance_within_its_bounds() {
        for seed in 0..20 {
            let mut rng = Rng::new(seed, "test", 0);
            let mut shape = Shape::draw(&mut rng, 3);
            for _ in 0..500 {
                let operation = Operation::draw(shape, false, &mut rng);
                let before = shape;
                operation.apply(&mut shape);
                assert_eq!(operation.reshapes(), before != shape, "{operation:?}");
                assert!(usize::from(shape.spec.size) < SIZES.len());
                assert!((1..=MOST_REPLICAS).contains(&shape.spec.replicas));
                assert_eq!(shape.spec.mode == Mode::Single, shape.spec.replicas == 1);
            }
        }
    }

    #[test]
    fn while_the_shape_changes_nothing_else_changes_it() {
        let mut rng = Rng::new(1, "test", 0);
        let shape = Shape::draw(&mut rng, 0);
        assert!((0..500).all(|_| !Operation::draw(shape, true, &mut rng).reshapes()));
    }

    #[test]
    fn an_operation_takes_half_a_minute_to_forty_minutes() {
        let mut rng = Rng::new(1, "test", 0);
        let shape = Shape::draw(&mut rng, 0);
        for _ in 0..1000 {
            let operation = Operation::draw(shape, false, &mut rng);
            let duration = operation.duration(&mut rng);
            assert!(
                (30 * SECOND..=40 * MINUTE).contains(&duration),
                "{duration}"
            );
        }
    }

    #[test]
    fn records_are_written_as_the_reference_shows_them() {
        let old = Spec {
            size: 0,
            mode: Mode::Single,
            replicas: 1,
        };
        let new = Spec { size: 1, ..old };
        let resize = Operation::Resize { old, new };
        assert_eq!(resize.name(RENAMED_AT - 1), "ChangeInstanceSpec");
        assert_eq!(resize.name(RENAMED_AT), "EXTEND");
        assert_eq!(
            resize.details(),
            json!({
                "old_capacity": "0.125", "new_capacity": "0.25",
                "old_cache_mode": "single", "new_cache_mode": "single",
                "old_resource_spec_code": "redis.single.xu1.tiny.128",
                "new_resource_spec_code": "redis.single.xu1.tiny.256",
                "old_replica_num": 1, "new_replica_num": 1, "is_only_adjust_charging": false,
            })
        );
        let port = Operation::UpdatePort {
            old: 6379,
            new: 6380,
        };
        assert_eq!(port.details(), json!({"old_port": 6379, "new_port": 6380}));
        assert_eq!(port.params(), None);
        let whitelist = Operation::AddWhitelist { group: 0 };
        assert_eq!(whitelist.details(), json!({}));
        assert_eq!(
            whitelist.params().as_deref(),
            Some(
                r#"{"enable_whitelist":true,"whitelist":[{"group_name":"office","ip_list":["198.51.100.0/24"]}]}"#
            )
        );
        let acl = Operation::DeleteAcl { account: 1 };
        assert_eq!(acl.details(), json!({"account_name": "reporting"}));
    }

    #[test]
    fn the_moment_of_the_renaming_is_the_first_of_july() {
        let moment = crate::model::time::Timestamp::from_millis(RENAMED_AT).unwrap();
        assert_eq!(moment.to_string(), "2026-07-01T00:00:00.000Z");
    }
}
