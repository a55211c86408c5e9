// Runs after dbt's own script and before its page starts. Keeps text of the mesh from being shown as HTML, and docs
// blocks of other packages from being shown as the mesh's home page.
(() => {
  const page = /^__.*__$/;
  // dbt's search and code view mark words with spans. Every other tag comes from the mesh's text.
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
