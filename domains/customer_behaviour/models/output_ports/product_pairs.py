"""Products that are in one basket more often than by chance.

Support and confidence are those of R. Agrawal, T. Imielinski and A. Swami: Mining association rules between sets of
items in large databases, SIGMOD 1993. Lift is the interest of S. Brin, R. Motwani, J. Ullman and S. Tsur: Dynamic
itemset counting and implication rules for market basket data, SIGMOD 1997.
"""

from pyspark.sql import functions as F  # noqa: N812 - as Spark's documentation names it

# Below this, one household's habit makes a pair.
FEWEST_BASKETS = 50


def model(dbt, session):  # noqa: ARG001 - dbt passes both
    # An order line is a product in a basket. Lines with quantity 0 are discounts and corrections.
    lines = dbt.ref("orders", "order_lines").where("quantity > 0 and not is_fuel")
    all_baskets = lines.agg(F.countDistinct("basket_id").alias("all_baskets"), F.max("_landed_at").alias("_landed_at"))
    products = lines.groupBy("product_id").agg(F.count("*").alias("baskets")).where(F.col("baskets") >= FEWEST_BASKETS)
    # A pair cannot be in more baskets than one of its products, so rare products need no pairs.
    bought = lines.select("basket_id", "product_id").join(products, "product_id")
    other = bought.toDF("other_product_id", "basket_id", "other_product_baskets")
    pairs = (
        bought.withColumnRenamed("baskets", "product_baskets")
        .join(other, "basket_id")
        .where("product_id < other_product_id")
        .groupBy("product_id", "other_product_id", "product_baskets", "other_product_baskets")
        .agg(F.count("*").alias("pair_baskets"))
        .where(F.col("pair_baskets") >= FEWEST_BASKETS)
    )
    return (
        pairs.crossJoin(all_baskets)
        .selectExpr(
            "product_id",
            "other_product_id",
            "pair_baskets",
            "product_baskets",
            "other_product_baskets",
            "double(pair_baskets) / all_baskets as support",
            "double(pair_baskets) / product_baskets as confidence",
            "double(pair_baskets) / other_product_baskets as reverse_confidence",
            "double(pair_baskets) * all_baskets / (double(product_baskets) * other_product_baskets) as lift",
            "_landed_at",
        )
        .where("lift > 1")
    )
