// A FHIR R4 server in memory for the tests: Medplum's own router and repository, which validates what it is given by
// HL7's definitions. Prints its port; GET works as on any FHIR server.
const http = require("node:http");
const path = require("node:path");
// The client in "core" names it when it is loaded; Node.js has it from version 22 on, and nothing here uses it.
globalThis.WebSocket ??= class {};
const modules = path.resolve(process.argv[2]);
const load = (name) => require(path.join(modules, "@medplum", name));
const core = load("core");
const { readJson } = load("definitions");
const { FhirRouter, MemoryRepository } = load("fhir-router");

for (const name of ["profiles-types", "profiles-resources", "profiles-medplum"]) {
  core.indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
core.indexSearchParameterBundle(readJson("fhir/r4/search-parameters.json"));

class ValidatingRepository extends MemoryRepository {
  // An update of Medplum's makes the resource anew, and says by a further argument that it may.
  async createResource(resource, ...more) {
    core.validateResource(resource);
    return super.createResource(resource, ...more);
  }
  async updateResource(resource, ...more) {
    core.validateResource(resource);
    return super.updateResource(resource, ...more);
  }
}

const router = new FhirRouter({});
const repository = new ValidatingRepository();
const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", async () => {
    const url = new URL(request.url, "http://localhost");
    const body = parts.length ? JSON.parse(Buffer.concat(parts)) : undefined;
    const pathname = url.pathname.replace(/^\/fhir/, "") || "/";
    const [outcome, resource] = await router.handleRequest(
      {
        method: request.method,
        url: pathname + url.search,
        pathname: "",
        params: {},
        query: Object.fromEntries(url.searchParams),
        body: body,
        headers: request.headers,
      },
      repository,
    );
    response.writeHead(core.getStatus(outcome), { "Content-Type": "application/fhir+json" });
    response.end(JSON.stringify(resource ?? outcome));
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
