// Runs after dbt's own script and before its page starts: what dbt's page would take as its own HTML or as the mesh's
// home is kept text, and another package's.
(() => {
  const page = /^__.*__$/;
  // The search and the code view mark words with spans; every other tag in what they show is text of the mesh.
  const tag = /<(?!span class="[\w -]*">|\/span>)/g;

  function showText($sce) {
    const trust = $sce.trustAsHtml;
    $sce.trustAsHtml = html => trust(typeof html === "string" ? html.replace(tag, "&lt;") : html);
    return $sce;
  }

  function showOwnPages(project) {
    const ready = project.ready;
    project.ready = use => ready(mesh => {
      const root = project.files.manifest.metadata.project_name;
      for (const [id, block] of Object.entries(mesh.docs)) {
        if (page.test(block.name) && ![root, "dbt"].includes(block.package_name)) delete mesh.docs[id];
      }
      use(mesh);
    });
    return project;
  }

  window.angular.module("dbt").config(["$provide", $provide => {
    $provide.decorator("$sce", ["$delegate", showText]);
    $provide.decorator("project", ["$delegate", showOwnPages]);
  }]);
})();
