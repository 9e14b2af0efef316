//! Counties, policy, regions, units.

use kernel::{Fault, PageSize, PolicyKey, TenantId};
use proto::membership as pb;
use proto::membership::tenancy_service_server::TenancyService;
use tonic::{Request, Response, Status};

use super::{Api, answer, open};
use crate::app::App;
use crate::convert::{self, date_in, field, parsed};
use crate::domain::tenancy::{Policy, Region, ServiceUnit};
use crate::domain::text;

#[async_trait::async_trait]
impl TenancyService for Api {
    async fn list_tenants(
        &self,
        _request: Request<pb::ListTenantsRequest>,
    ) -> Result<Response<pb::ListTenantsResponse>, Status> {
        Ok(Response::new(self.0.list_tenants()))
    }

    async fn set_policy(
        &self,
        request: Request<pb::SetPolicyRequest>,
    ) -> Result<Response<pb::SetPolicyResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let policy = policy_in(call.scope.tenant()?, &message)?;
            self.0.set_policy(call.command(), policy).await
        };
        answer(run.await)
    }

    async fn list_policies(
        &self,
        request: Request<pb::ListPoliciesRequest>,
    ) -> Result<Response<pb::ListPoliciesResponse>, Status> {
        let run = async { self.0.list_policies(parsed("tenant", &request.get_ref().tenant)?).await };
        answer(run.await)
    }

    async fn define_region(
        &self,
        request: Request<pb::DefineRegionRequest>,
    ) -> Result<Response<pb::DefineRegionResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let region = region_in(&self.0, call.scope.tenant()?, &message)?;
            self.0.define_region(call.command(), region).await
        };
        answer(run.await)
    }

    async fn list_regions(
        &self,
        request: Request<pb::ListRegionsRequest>,
    ) -> Result<Response<pb::ListRegionsResponse>, Status> {
        let run = async { self.0.list_regions(parsed("tenant", &request.get_ref().tenant)?).await };
        answer(run.await)
    }

    async fn register_service_unit(
        &self,
        request: Request<pb::RegisterServiceUnitRequest>,
    ) -> Result<Response<pb::RegisterServiceUnitResponse>, Status> {
        let (call, message) = open(request)?;
        let run = async {
            let unit = unit_in(&self.0, call.scope.tenant()?, &message)?;
            self.0.register_unit(call.command(), unit).await
        };
        answer(run.await)
    }

    async fn list_service_units(
        &self,
        request: Request<pb::ListServiceUnitsRequest>,
    ) -> Result<Response<pb::ListServiceUnitsResponse>, Status> {
        let message = request.get_ref();
        let run = async {
            let tenant = parsed("tenant", &message.tenant)?;
            let size = field("page_size", PageSize::new(message.page_size))?;
            self.0.list_units(tenant, size, &message.page_token).await
        };
        answer(run.await)
    }
}

fn policy_in(tenant: TenantId, message: &pb::SetPolicyRequest) -> Result<Policy, Fault> {
    let key: PolicyKey = parsed("key", &message.key)?;
    Ok(Policy {
        tenant,
        key,
        value: field("value", key.parse(&message.value))?,
        valid_from: date_in("valid_from", &message.valid_from)?,
    })
}

fn region_in(app: &App, tenant: TenantId, message: &pb::DefineRegionRequest) -> Result<Region, Fault> {
    Ok(Region {
        id: app.new_id(),
        tenant,
        name: field("name", text::name(&message.name))?,
        municipalities: convert::municipalities_in(&message.municipalities)?,
        valid_from: date_in("valid_from", &message.valid_from)?,
    })
}

fn unit_in(
    app: &App,
    tenant: TenantId,
    message: &pb::RegisterServiceUnitRequest,
) -> Result<ServiceUnit, Fault> {
    Ok(ServiceUnit {
        id: app.new_id(),
        tenant,
        name: field("name", text::name(&message.name))?,
        kind: convert::unit_kind_in(message.kind())?,
        municipality: parsed("municipality", &message.municipality)?,
    })
}
