"""TPC-H and TPC-DS: the keys that their specifications declare, and their tables as tpcgen-cli writes them.

Sources: TPC-H 3.0.1, clause 1.4.2; TPC-DS 4.0.0, clause 2 and its file tpcds_ri.sql. Left out are columns that the
generator does not write (catalog_page.cp_promo_id, catalog_returns.cr_ship_date_sk).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PRIMARY = {
    "tpch": """
        region r_regionkey; nation n_nationkey; part p_partkey; supplier s_suppkey; customer c_custkey;
        orders o_orderkey; partsupp ps_partkey ps_suppkey; lineitem l_orderkey l_linenumber
    """,
    "tpcds": """
        call_center cc_call_center_sk; catalog_page cp_catalog_page_sk; catalog_returns cr_item_sk cr_order_number;
        catalog_sales cs_item_sk cs_order_number; customer c_customer_sk; customer_address ca_address_sk;
        customer_demographics cd_demo_sk; date_dim d_date_sk; household_demographics hd_demo_sk;
        income_band ib_income_band_sk; inventory inv_date_sk inv_item_sk inv_warehouse_sk; item i_item_sk;
        promotion p_promo_sk; reason r_reason_sk; ship_mode sm_ship_mode_sk; store s_store_sk;
        store_returns sr_item_sk sr_ticket_number; store_sales ss_item_sk ss_ticket_number; time_dim t_time_sk;
        warehouse w_warehouse_sk; web_page wp_web_page_sk; web_returns wr_item_sk wr_order_number;
        web_sales ws_item_sk ws_order_number; web_site web_site_sk
    """,
}

# The business keys of TPC-DS ("B" in clause 2) that identify a row, because their tables keep no history.
BUSINESS = """
    catalog_page cp_catalog_page_id; customer c_customer_id; customer_address ca_address_id; date_dim d_date_id;
    promotion p_promo_id; reason r_reason_id; ship_mode sm_ship_mode_id; time_dim t_time_id; warehouse w_warehouse_id
"""

FOREIGN = {
    "tpch": """
        region: n_regionkey; nation: c_nationkey s_nationkey; part: ps_partkey l_partkey;
        supplier: ps_suppkey l_suppkey; customer: o_custkey; orders: l_orderkey; partsupp: l_partkey+l_suppkey
    """,
    # l_partkey and l_suppkey alone, and the returned sales, are no constraints of the files, but hold by their clauses.
    "tpcds": """
        date_dim: cc_closed_date_sk cc_open_date_sk cp_end_date_sk cp_start_date_sk cr_returned_date_sk cs_ship_date_sk
            cs_sold_date_sk c_first_sales_date_sk c_first_shipto_date_sk c_last_review_date_sk inv_date_sk p_end_date_sk
            p_start_date_sk s_closed_date_sk sr_returned_date_sk ss_sold_date_sk wp_access_date_sk wp_creation_date_sk
            wr_returned_date_sk ws_ship_date_sk ws_sold_date_sk web_close_date_sk web_open_date_sk;
        time_dim: cr_returned_time_sk cs_sold_time_sk sr_return_time_sk ss_sold_time_sk wr_returned_time_sk
            ws_sold_time_sk;
        call_center: cr_call_center_sk cs_call_center_sk; catalog_page: cr_catalog_page_sk cs_catalog_page_sk;
        item: cr_item_sk cs_item_sk inv_item_sk p_item_sk sr_item_sk ss_item_sk wr_item_sk ws_item_sk;
        reason: cr_reason_sk sr_reason_sk wr_reason_sk; ship_mode: cr_ship_mode_sk cs_ship_mode_sk ws_ship_mode_sk;
        promotion: cs_promo_sk ss_promo_sk ws_promo_sk; store: sr_store_sk ss_store_sk;
        warehouse: cr_warehouse_sk cs_warehouse_sk inv_warehouse_sk ws_warehouse_sk;
        web_page: wr_web_page_sk ws_web_page_sk; web_site: ws_web_site_sk; income_band: hd_income_band_sk;
        customer: cr_refunded_customer_sk cr_returning_customer_sk cs_bill_customer_sk cs_ship_customer_sk
            sr_customer_sk
            ss_customer_sk wp_customer_sk wr_refunded_customer_sk wr_returning_customer_sk ws_bill_customer_sk
            ws_ship_customer_sk;
        customer_address: cr_refunded_addr_sk cr_returning_addr_sk cs_bill_addr_sk cs_ship_addr_sk c_current_addr_sk
            sr_addr_sk ss_addr_sk wr_refunded_addr_sk wr_returning_addr_sk ws_bill_addr_sk ws_ship_addr_sk;
        customer_demographics: cr_refunded_cdemo_sk cr_returning_cdemo_sk cs_bill_cdemo_sk cs_ship_cdemo_sk
            c_current_cdemo_sk sr_cdemo_sk ss_cdemo_sk wr_refunded_cdemo_sk wr_returning_cdemo_sk ws_bill_cdemo_sk
            ws_ship_cdemo_sk;
        household_demographics: cr_refunded_hdemo_sk cr_returning_hdemo_sk cs_bill_hdemo_sk cs_ship_hdemo_sk
            c_current_hdemo_sk sr_hdemo_sk ss_hdemo_sk wr_refunded_hdemo_sk wr_returning_hdemo_sk ws_bill_hdemo_sk
            ws_ship_hdemo_sk;
        store_sales: sr_item_sk+sr_ticket_number; catalog_sales: cr_item_sk+cr_order_number;
        web_sales: wr_item_sk+wr_order_number
    """,
}


def primary(benchmark: str) -> dict[str, tuple[str, ...]]:
    """The primary key of each table."""
    return {table: tuple(key) for table, *key in (each.split() for each in PRIMARY[benchmark].split(";"))}


def business() -> set[tuple[str, tuple[str, ...]]]:
    """Other keys of TPC-DS: table and columns."""
    return {(table, tuple(key)) for table, *key in (each.split() for each in BUSINESS.split(";"))}


def foreign(benchmark: str) -> set[tuple[tuple[str, ...], str]]:
    """The foreign keys: columns, and the table they refer to."""
    lists = [each.split(":") for each in FOREIGN[benchmark].split(";")]
    return {(tuple(key.split("+")), table.strip()) for table, keys in lists for key in keys.split()}


def generator() -> str:
    """The program tpcgen-cli, from requirements-dev.txt; empty if it is not installed."""
    beside = Path(sys.executable).with_name("tpcgen-cli")
    return os.environ.get("TPCGEN", "") or (str(beside) if beside.exists() else shutil.which("tpcgen-cli") or "")


def generate(benchmark: str, scale: str, folder: Path) -> None:
    """Write the tables as Parquet files."""
    call = [generator(), benchmark, "parquet", "-s", scale, "-o", str(folder)]
    subprocess.run(call, check=True, capture_output=True)
