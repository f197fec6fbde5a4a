//! REST and OpenAPI, pages, webhooks.
