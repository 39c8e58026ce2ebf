"""Names of the risk models that changed: the old ones work for one version, with a warning."""

import pytest

from bank_python import risk_models
from bank_python.risk_models import AbsoluteMeanDistribution, MaximumEntropyDistribution, fit_gpd_excesses


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("AbsoluteMeanLaw", AbsoluteMeanDistribution),
        ("MaximumEntropyLaw", MaximumEntropyDistribution),
        ("fit_gpd", fit_gpd_excesses),
    ],
)
def test_old_names_of_the_package_are_the_new_objects(old, new):
    with pytest.warns(DeprecationWarning, match=rf"risk_models\.{old} is now called"):
        assert getattr(risk_models, old) is new
