import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { PROBLEM_SCHEMA } from "../problem.ts";
import { problemsOf } from "../openapi/document.ts";
import { ROUTES } from "../routes.ts";
import { type Schema, withoutMark } from "../schema.ts";

const ajv = new Ajv2020({ strict: true, strictTypes: false, allErrors: true });
addFormats.default(ajv);

const validators = new Map<Schema<unknown>, ReturnType<typeof ajv.compile>>();

function complaints(schema: Schema<unknown>, value: unknown): string[] {
  const validate = validators.get(schema) ?? ajv.compile(withoutMark(schema));
  validators.set(schema, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    (error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
  );
}

/** The route of the table that a request is for. */
function routeOf(method: string, path: string) {
  const [bare = ""] = path.split("?");
  return ROUTES.find(
    (route) =>
      route.method === method &&
      new RegExp(`^${route.path.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&").replaceAll(/\{\w+\}/g, "[^/]+")}/?$`).test(
        bare,
      ),
  );
}

/** Throws unless an answer is one that the OpenAPI document announces. */
export function checkAnswer(method: string, path: string, status: number, json: unknown): void {
  const route = routeOf(method, path);
  const where = `${method} ${path} answered ${status}`;
  if (status >= 400 && !(status === 503 && path.startsWith("/readyz"))) {
    const wrong = complaints(PROBLEM_SCHEMA, json);
    if (wrong.length > 0) throw new Error(`${where} with no problem: ${wrong.join("; ")}`);
    const announced = route === undefined ? [404, 405] : [...problemsOf(route).keys()];
    if (!announced.includes(status)) throw new Error(`${where}, which the document does not announce`);
    return;
  }
  if (route === undefined || json === undefined || status >= 400) return;
  if (status !== route.answer.status) throw new Error(`${where}; the document says ${route.answer.status}`);
  const wrong = complaints(route.answer.schema, json);
  if (wrong.length > 0)
    throw new Error(`${where} with what the document does not allow: ${wrong.slice(0, 5).join("; ")}`);
}
