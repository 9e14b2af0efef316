//! Counties, their policy, regions and units.

use futures::FutureExt as _;
use kernel::{Fault, PageSize, PageToken, PolicyKey, TenantId};
use messaging::{Command, Tx};
use proto::membership as pb;

use super::App;
use crate::domain::Rejection;
use crate::domain::tenancy::{self, Event, Policy, Region, ServiceUnit};
use crate::{convert, events, store};

impl App {
    /// Counties of this deployment.
    pub fn list_tenants(&self) -> pb::ListTenantsResponse {
        let tenants = self.inner.wiring.tenants.iter();
        pb::ListTenantsResponse { tenants: tenants.map(|tenant| convert::tenant_out(*tenant)).collect() }
    }

    /// Sets a policy value from a day on.
    ///
    /// # Errors
    /// PolicyHasBegun.
    pub async fn set_policy(
        &self,
        command: &Command,
        policy: Policy,
    ) -> Result<pb::SetPolicyResponse, Fault> {
        self.writer().run(command, policy, |tx, policy| set_policy(tx, policy).boxed()).await
    }

    /// All values of a county, defaults included.
    ///
    /// # Errors
    /// TenantNotServed.
    pub async fn list_policies(&self, tenant: TenantId) -> Result<pb::ListPoliciesResponse, Fault> {
        self.served(tenant)?;
        let set = store::tenancy::policies(self.reads(), tenant).await?;
        let mut policies: Vec<pb::Policy> = set.iter().map(convert::policy_out).collect();
        policies.extend(PolicyKey::ALL.map(|key| convert::default_policy_out(tenant, key)));
        // The default's day is empty, so it comes first of its key.
        policies.sort_by(|a, b| (&a.key, &a.valid_from).cmp(&(&b.key, &b.valid_from)));
        Ok(pb::ListPoliciesResponse { policies })
    }

    /// Defines a region.
    ///
    /// # Errors
    /// RegionElsewhere, MunicipalityNotThen, RegionTaken.
    pub async fn define_region(
        &self,
        command: &Command,
        region: Region,
    ) -> Result<pb::DefineRegionResponse, Fault> {
        self.writer().run(command, region, |tx, region| define_region(tx, region).boxed()).await
    }

    /// Regions that a county keeps.
    ///
    /// # Errors
    /// TenantNotServed.
    pub async fn list_regions(&self, tenant: TenantId) -> Result<pb::ListRegionsResponse, Fault> {
        self.served(tenant)?;
        let regions = store::tenancy::regions(self.reads(), tenant).await?;
        Ok(pb::ListRegionsResponse { regions: regions.iter().map(convert::region_out).collect() })
    }

    /// Registers a service unit.
    ///
    /// # Errors
    /// MunicipalityNotInCounty, UnitNameTaken.
    pub async fn register_unit(
        &self,
        command: &Command,
        unit: ServiceUnit,
    ) -> Result<pb::RegisterServiceUnitResponse, Fault> {
        self.writer().run(command, unit, |tx, unit| register_unit(tx, unit).boxed()).await
    }

    /// Service units of a county by name.
    ///
    /// # Errors
    /// TenantNotServed; Invalid for a broken page token.
    pub async fn list_units(
        &self,
        tenant: TenantId,
        size: PageSize,
        token: &str,
    ) -> Result<pb::ListServiceUnitsResponse, Fault> {
        self.served(tenant)?;
        let list = format!("units|{tenant}");
        let after = convert::field("page_token", PageToken::read(token, &list))?;
        let units = store::tenancy::units(self.reads(), tenant, after.as_deref(), size).await?;
        let (units, next) = size.cut(units, &list, |unit| unit.name.clone());
        Ok(pb::ListServiceUnitsResponse {
            units: units.iter().map(convert::unit_out).collect(),
            next_page_token: next.map(PageToken::into_string).unwrap_or_default(),
        })
    }

    /// A new id, for a thing that a request asks for.
    pub fn new_id<I: From<kernel::Uuid>>(&self) -> I {
        self.ids().new_id()
    }
}

async fn set_policy(tx: &Tx, policy: &Policy) -> Result<pb::SetPolicyResponse, Fault> {
    let set = store::tenancy::policies(tx.conn(), policy.tenant).await?;
    let existing = set.iter().any(|one| one.key == policy.key && one.valid_from == policy.valid_from);
    let event = tenancy::set_policy(*policy, existing, tx.now().helsinki_date())?;
    store::tenancy::save_policy(tx.conn(), policy).await?;
    tx.publish(events::tenancy(&event));
    Ok(pb::SetPolicyResponse { policy: Some(convert::policy_out(policy)) })
}

async fn define_region(tx: &Tx, region: &Region) -> Result<pb::DefineRegionResponse, Fault> {
    let event = tenancy::define_region(region.clone())?;
    let Event::RegionDefined(region) = &event else { return Err(Fault::internal("defining made no region")) };
    if !store::tenancy::add_region(tx.conn(), region).await? {
        return Err(Rejection::RegionTaken.into());
    }
    tx.publish(events::tenancy(&event));
    Ok(pb::DefineRegionResponse { region: Some(convert::region_out(region)) })
}

async fn register_unit(tx: &Tx, unit: &ServiceUnit) -> Result<pb::RegisterServiceUnitResponse, Fault> {
    let event = tenancy::register_unit(unit.clone(), tx.now().helsinki_date())?;
    if !store::tenancy::add_unit(tx.conn(), unit).await? {
        return Err(Rejection::UnitNameTaken.into());
    }
    tx.publish(events::tenancy(&event));
    Ok(pb::RegisterServiceUnitResponse { unit: Some(convert::unit_out(unit)) })
}
