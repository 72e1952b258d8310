mod assess;
mod comparing;
mod job;
mod limits;
mod router_queries;
mod template;
