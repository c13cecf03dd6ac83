//! Credentials that tools of the two clouds are given by variables.

use super::bag::{Bag, Kind, Names, Role};
use super::surroundings::Surroundings;

/// The names of `OpenStack`, and those that the Terraform provider of Open Telekom Cloud added.
const OPENSTACK: Names = &[
    (Role::Token, &["OS_TOKEN", "OS_AUTH_TOKEN"]),
    (Role::AccessKey, &["OS_ACCESS_KEY"]),
    (Role::SecretKey, &["OS_SECRET_KEY"]),
    (Role::SecurityToken, &["OS_SECURITY_TOKEN"]),
    (Role::UserId, &["OS_USER_ID"]),
    (Role::UserName, &["OS_USERNAME"]),
    (Role::Password, &["OS_PASSWORD"]),
    (Role::DomainId, &["OS_USER_DOMAIN_ID", "OS_DOMAIN_ID"]),
    (
        Role::DomainName,
        &[
            "OS_USER_DOMAIN_NAME",
            "OS_DOMAIN_NAME",
            "OS_PROJECT_DOMAIN_NAME",
            "DEFAULT_DOMAIN",
        ],
    ),
    (Role::Region, &["OS_REGION_NAME", "OS_REGION"]),
    (Role::ProjectId, &["OS_PROJECT_ID", "OS_TENANT_ID"]),
    (Role::ProjectName, &["OS_PROJECT_NAME", "OS_TENANT_NAME"]),
    (Role::Iam, &["OS_AUTH_URL"]),
    (Role::CaFile, &["OS_CACERT"]),
];

/// The third generation of Huawei Cloud's SDKs. They have no variable for a region.
const SDK: Names = &[
    (Role::AccessKey, &["HUAWEICLOUD_SDK_AK"]),
    (Role::SecretKey, &["HUAWEICLOUD_SDK_SK"]),
    (Role::SecurityToken, &["HUAWEICLOUD_SDK_SECURITY_TOKEN"]),
    (Role::ProjectId, &["HUAWEICLOUD_SDK_PROJECT_ID"]),
    (Role::Iam, &["HUAWEICLOUD_SDK_IAM_ENDPOINT"]),
];

/// The Terraform provider of Huawei Cloud. Its `OS_` twins are a source of their own, so that no key of one account
/// meets the address of another.
const TERRAFORM: Names = &[
    (Role::Token, &["HW_AUTH_TOKEN"]),
    (Role::AccessKey, &["HW_ACCESS_KEY"]),
    (Role::SecretKey, &["HW_SECRET_KEY"]),
    (Role::SecurityToken, &["HW_SECURITY_TOKEN"]),
    (Role::UserId, &["HW_USER_ID"]),
    (Role::UserName, &["HW_USER_NAME"]),
    (Role::Password, &["HW_USER_PASSWORD"]),
    (Role::DomainId, &["HW_DOMAIN_ID"]),
    (Role::DomainName, &["HW_DOMAIN_NAME"]),
    (Role::Region, &["HW_REGION_NAME"]),
    (Role::ProjectId, &["HW_PROJECT_ID"]),
    (Role::ProjectName, &["HW_PROJECT_NAME"]),
    (Role::Iam, &["HW_AUTH_URL"]),
    (Role::Cloud, &["HW_CLOUD"]),
];

pub(super) const OPENSTACK_LABEL: &str = "OS_*";
pub(super) const SDK_LABEL: &str = "HUAWEICLOUD_SDK_*";
pub(super) const TERRAFORM_LABEL: &str = "HW_*";

pub(super) fn openstack(around: &Surroundings) -> Bag {
    bag(OPENSTACK_LABEL, OPENSTACK, around)
}

pub(super) fn sdk(around: &Surroundings) -> Bag {
    bag(SDK_LABEL, SDK, around)
}

pub(super) fn terraform(around: &Surroundings) -> Bag {
    bag(TERRAFORM_LABEL, TERRAFORM, around)
}

fn bag(label: &str, names: Names, around: &Surroundings) -> Bag {
    Bag::fill(label, Kind::Variables, names, |name| around.variable(name))
}
