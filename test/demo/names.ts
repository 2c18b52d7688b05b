/** Namespace of the demo's store, queues and workers. */
export const DEMO_NAMESPACE = "jobqueue-demo";
