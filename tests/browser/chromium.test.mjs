import { pageSuite } from "./suite/suite.mjs";

pageSuite("chromium");
