// A report prints itself on demand; everything on it was drawn by the service.

document.getElementById('print').addEventListener('click', () => window.print());
