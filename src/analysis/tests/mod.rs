mod assess;
mod comparing;
mod job;
mod limits;
mod template;
