"""Nothing of its own: every shared fixture comes from the plugin ``services.fixtures``.

That plugin is loaded for the packages' tests as well, which a conftest here would not be.
"""
